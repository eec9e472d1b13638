"""How many images `predict` calls unlike the training images: ordinary ones, and eight other kinds.

``python -m benchmarks.unlike FOLDER...``, each the folder of a trained and judged project.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
from rich.console import Console

from raresight.generators.registry import find
from raresight.pipeline.core import seeds
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.prediction.predictor import Predictor, open_predictor
from raresight.pipeline.terminal.tables import PlainTable

_ORDINARY, _OTHERS = 1000, 300
Change = Callable[[np.ndarray], np.ndarray]  # of an image, uint8 (H, W, 3)


def hue_moved(image: np.ndarray) -> np.ndarray:
    """By 120 degrees; OpenCV counts half degrees."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + 60) % 180
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def gray(image: np.ndarray) -> np.ndarray:
    """Its brightness in all channels."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


CHANGES: Mapping[str, Change] = {
    "hue by 120 degrees": hue_moved,
    "gray": gray,
    "channels swapped": lambda image: np.ascontiguousarray(image[..., ::-1]),
    "blur of 3 pixels": lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 3)),
    "half as bright": lambda image: image // 2,
}


def other_content(shape: tuple[int, int, int], count: int) -> np.ndarray:
    """Drawn surfaces, which none of the scenarios that are asked about holds."""
    kind = find("textures")
    generator = kind(kind.options(), shape[0])  # what is drawn is square
    (records,) = generator.streams("textures", count=count)
    drawn = (generator.sample(one, seeds.rng(1, "generate", one.id)) for one in records)
    return np.stack([one.image for one in drawn])


def kinds(ordinary: np.ndarray) -> dict[str, np.ndarray]:
    """Images of every kind, each uint8 (n, H, W, 3), made of ``ordinary`` ones or of nothing."""
    some = ordinary[:_OTHERS]
    rng = np.random.default_rng(1)
    levels = rng.integers(0, 256, (len(some), 1, 1, 3), np.uint8)
    changed = {name: np.stack([*map(change, some)]) for name, change in CHANGES.items()}
    return {
        "ordinary test images": ordinary,
        "other content (textures)": other_content(some.shape[1:], len(some)),
        "noise": rng.integers(0, 256, some.shape, np.uint8),
        "blank": np.broadcast_to(levels, some.shape).copy(),
        **changed,
    }


def ordinary_images(project: Path) -> np.ndarray:
    """At most a thousand, spread evenly."""
    dataset = Dataset(project / "data" / "generated")
    with pa.OSFile(str(project / "data" / "evaluation" / "predictions" / "test.arrow")) as file:
        tested = {*pa.ipc.open_file(file).read_all()["id"].to_pylist()}
    rows = np.flatnonzero([id in tested for id in dataset.ids.tolist()])
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), _ORDINARY)).astype(int)
    return dataset.images[rows[chosen]]


def flagged(predictor: Predictor, ordinary: np.ndarray) -> dict[str, tuple[float, ...]]:
    """Of each kind the shares flagged in all, by pixels, by features, and by the largest softmax
    where it flags one in a hundred ordinary images."""
    found, bound = {}, 0.0
    for name, images in kinds(ordinary).items():
        applied = predictor.apply(images)
        sure = applied.scores.max(axis=1)
        bound = bound or float(np.quantile(sure, 0.01))  # the ordinary ones come first
        by = [float((applied.ratios[key] > 1).mean()) for key in ("pixels", "features")]
        found[name] = (float(applied.unlike.mean()), *by, float((sure < bound).mean()))
    return found


def main(folders: list[str]) -> None:
    """A table for every project."""
    for folder in folders:
        project = Path(folder)
        predictor = open_predictor(project / "data" / "model", "cpu")
        ordinary = ordinary_images(project)
        table = PlainTable(title=f"{project}: {len(ordinary)} test images, {_OTHERS} of each other")
        for heading in ("images", "flagged", "by pixels", "by features", "max softmax"):
            table.add_column(heading)
        for name, shares in flagged(predictor, ordinary).items():
            table.add_row(name, *(f"{100 * share:.1f} %" for share in shares))
        Console(width=100).print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
