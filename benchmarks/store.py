"""The dataset on disk beside a folder of PNGs: reading, writing, and DVC's work on either."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.inputs import draw, dvc, pathology, write_params, write_pngs
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.dataset.schema import Description, Rows, rows_per_shard
from raresight.pipeline.dataset.writer import shard_name, write_shard

_BATCH = 256


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """Read and write all images, then ``dvc add`` and ``dvc checkout`` the two folders."""
    amount = pathology(sizes.side, count=sizes.stored, prevalence={"mitotic": 0.01})
    params = write_params(folder / "params.yaml", {"generate": amount})
    dataset = draw(params, folder / "data")
    yield _writing(folder, dataset, sizes)
    yield _reading(folder, dataset, sizes)
    yield from _dvc(folder, dataset, sizes)


def _writing(folder: Path, dataset: Dataset, sizes: Sizes) -> Measurement:
    rows, description = _rows(dataset), dataset.description
    (folder / "shards").mkdir()
    ours, theirs = interleave(
        clock(lambda: _write_shards(folder / "shards", rows, description)),
        clock(lambda: write_pngs(folder / "png", rows.images, np.asarray(rows.labels))),
        rounds=sizes.rounds,
    )
    return Measurement(
        what="store: write every image (ours with masks, factors, sha256)",
        peer="PNG folder, Pillow",
        ours=ours,
        theirs=theirs,
        goal=Goal(kind="speed-up", bound=20),
        images=len(rows),
    )


def _rows(dataset: Dataset) -> Rows:
    """All of a dataset in memory, as its generator handed it over."""
    everything, names = range(len(dataset)), dataset.description.factors
    return Rows(
        ids=dataset.ids.tolist(),
        source_ids=dataset.source_ids.tolist(),
        origin="synthetic",
        labels=dataset.labels.tolist(),
        true_labels=dataset.true_labels.tolist(),
        variants=[0] * len(dataset),
        images=dataset.images[:],
        columns={"mask": list(dataset.masks), "boxes": list(dataset.boxes)},
        factors={name: dataset.column(f"factor.{name}", everything) for name in names},
    )


def _write_shards(folder: Path, rows: Rows, description: Description) -> None:
    size = rows_per_shard(description.image_shape, description.columns)
    for number, start in enumerate(range(0, len(rows), size)):
        part = _part(rows, slice(start, start + size))
        write_shard(folder / shard_name(number), part, description, source="pathology")


def _part(rows: Rows, of: slice) -> Rows:
    lists = ("ids", "source_ids", "labels", "true_labels", "variants", "images")
    factors = {name: values[of] for name, values in rows.factors.items()}
    columns = {name: values[of] for name, values in rows.columns.items()}
    parts = {name: getattr(rows, name)[of] for name in lists}
    return replace(rows, **parts, columns=columns, factors=factors)


def _reading(folder: Path, dataset: Dataset, sizes: Sizes) -> Measurement:
    """In batches that land in one reused buffer; our folder is opened anew each time."""
    files = sorted((folder / "png").rglob("*.png"))
    buffer = np.empty((_BATCH, *dataset.image_shape), np.uint8)
    ours, theirs = interleave(
        clock(lambda: _read_shards(dataset.folder, buffer)),
        clock(lambda: _read_pngs(files, buffer)),
        rounds=sizes.rounds,
    )
    return Measurement(
        what="store: read every image",
        peer="PNG folder, Pillow",
        ours=ours,
        theirs=theirs,
        goal=Goal(kind="speed-up", bound=40),
        images=len(dataset),
    )


def _read_shards(folder: Path, buffer: np.ndarray) -> None:
    images = Dataset(folder).images
    for start in range(0, len(images), len(buffer)):
        rows = np.arange(start, min(start + len(buffer), len(images)))
        images.take(rows, out=buffer[: len(rows)])


def _read_pngs(files: list[Path], buffer: np.ndarray) -> None:
    for number, path in enumerate(files):
        with Image.open(path) as image:
            buffer[number % len(buffer)] = image


def _dvc(folder: Path, dataset: Dataset, sizes: Sizes) -> Iterator[Measurement]:
    ours = _Tracked(folder / "dvc-shards", dataset.folder)
    theirs = _Tracked(folder / "dvc-png", folder / "png")
    seconds = interleave(
        ours.add, theirs.add, ours.check_out, theirs.check_out,
        rounds=sizes.rounds, warm_up=False,
    )  # fmt: skip
    for command, pair in (("add", seconds[:2]), ("checkout", seconds[2:])):
        yield Measurement(
            what=f"store: dvc {command}",
            peer="PNG folder",
            ours=pair[0],
            theirs=pair[1],
            goal=Goal(kind="share", bound=0.15),
            images=sizes.stored,
        )


class _Tracked:
    """A DVC project of one folder, as slow each time as the first."""

    def __init__(self, project: Path, source: Path):
        self.project, self.caches = project, project.with_name(f"{project.name}-caches")
        shutil.copytree(source, project / "images")
        self.dvc("init", "--no-scm")

    def dvc(self, *arguments: str) -> float:
        return dvc(*arguments, folder=self.project, caches=self.caches)

    def add(self) -> float:
        """Seconds of ``dvc add`` where DVC knows no file of the folder yet."""
        shutil.rmtree(self.caches, ignore_errors=True)
        shutil.rmtree(self.project / ".dvc" / "cache", ignore_errors=True)
        (self.project / "images.dvc").unlink(missing_ok=True)
        return self.dvc("add", "images")

    def check_out(self) -> float:
        """Seconds of ``dvc checkout`` where the folder is gone."""
        shutil.rmtree(self.project / "images")
        return self.dvc("checkout", "images.dvc")
