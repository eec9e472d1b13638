"""Ratios beside what a user would pick instead, in one run: ``make bench``.

Every pair does the same work, in turn, ROUNDS times after a warm-up; the ratio is that of the
medians.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from pipeline.dataset import Dataset
from pipeline.stages import augment, generate

ROUNDS, IMAGES = 3, 4000


def main() -> None:
    """Measure and print the table."""
    table = Table("what", "ours", "instead", "times as fast", "goal")
    with tempfile.TemporaryDirectory() as folder:
        for row in _rows(Path(folder)):
            table.add_row(*row)
    Console().print(table)


def _rows(folder: Path):
    params = _params(folder)
    data = folder / "data"
    seconds = _median(lambda: generate.run(params, data, workers=1))
    yield "generate, images/s, 1 worker", f"{IMAGES / seconds:,.0f}", "-", "-", "8,000/s"

    dataset, pngs = Dataset(data / "generated"), folder / "png"
    buffer = np.empty(dataset.images.shape, np.uint8)
    everything = np.arange(len(dataset))
    pngs.mkdir()
    ours, theirs = _pair(lambda: dataset.images.take(everything, out=buffer), lambda: _read(pngs),
                         before=lambda: _write(pngs, buffer))  # fmt: skip
    yield _row("read every image, against PNGs with Pillow", ours, theirs, "40")

    yield from _augment(params, data, dataset)


def _augment(params: Path, data: Path, dataset: Dataset):
    """The stage from shard to shard, against the bare loop over arrays in memory."""
    import albumentations

    recipe = YAML(typ="safe").load(params.read_text())["augment"]
    steps = [dict(step) for step in [*recipe["spatial"], *recipe["pixel"]]]
    compose = albumentations.Compose([getattr(albumentations, s.pop("name"))(**s) for s in steps])
    rows = np.flatnonzero(dataset.labels == "mitotic")
    pairs = [(dataset.images[int(row)], dataset.masks[int(row)]) for row in rows]

    def bare() -> None:
        for image, mask in pairs:
            for _ in range(recipe["copies"]["mitotic"]):
                compose(image=image, mask=mask)

    ours, theirs = _pair(lambda: augment.run(params, data, workers=1), bare)
    yield _row(
        f"augment {8 * len(rows):,} copies, against a bare Compose loop", ours, theirs, "0.9"
    )


def _params(folder: Path) -> Path:
    params = YAML(typ="safe").load(Path("params.yaml").read_text())
    source = params["generate"]["sources"][0]
    source.update(count=IMAGES, prevalence={"mitotic": 0.1})
    path = folder / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump(params, file)
    return path


def _write(folder: Path, images: np.ndarray) -> None:
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:06d}.png")


def _read(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        np.asarray(Image.open(path))


def _seconds(work: Callable) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _median(work: Callable) -> float:
    work()
    return statistics.median(_seconds(work) for _ in range(ROUNDS))


def _pair(ours: Callable, theirs: Callable, before: Callable = lambda: None) -> tuple[float, float]:
    ours()
    before()
    theirs()
    rounds = [(_seconds(ours), _seconds(theirs)) for _ in range(ROUNDS)]
    return tuple(statistics.median(column) for column in zip(*rounds, strict=True))


def _row(what: str, ours: float, theirs: float, goal: str) -> tuple[str, ...]:
    return what, f"{ours:.3f} s", f"{theirs:.3f} s", f"{theirs / ours:.2f}", f">= {goal}"


if __name__ == "__main__":
    main()
