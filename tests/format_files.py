"""Images in the ways in which other programs keep them, and what is read of them."""

import io
from pathlib import Path

import numpy as np
from image_folders import read_all
from PIL import Image

from raresight.generators.builtin import GENERATORS

SIDE = 12


def picture(number: int, side: int = SIDE) -> Image.Image:
    rng = np.random.default_rng(number)
    return Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8))


def png(number: int) -> bytes:
    out = io.BytesIO()
    picture(number).save(out, "PNG")
    return out.getvalue()


def made(name: str, side: int | tuple[int, int] = SIDE, **options) -> dict:
    """The samples of a generator by the name of the image, with their records."""
    kind = GENERATORS[name]
    generator = kind(kind.options.model_validate(options), side)
    return {
        sample.factors["file"]: (record, sample) for record, sample in read_all(generator).items()
    }


def named_factors(found: dict, name: str) -> list:
    return [sample.factors[name] for _, sample in found.values()]


def medmnist(path: Path, *, color: bool = True, compressed: bool = True, **changes) -> dict:
    """Arrays as MedMNIST's files have them: 70, 9 and 5 images of three grades."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 70), ("val", 9), ("test", 5)):
        shape = (count, SIDE, SIDE, 3) if color else (count, SIDE, SIDE)
        arrays[f"{split}_images"] = rng.integers(0, 256, shape, np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    arrays |= changes
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return arrays


def segmentation(kind: str, marked: np.ndarray):
    """A mask as COCO writes it: polygons of a box, run lengths, packed run lengths."""
    from pycocotools import mask

    rows, columns = np.nonzero(marked)
    x, y, right, lower = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    if kind == "polygon":
        return [[int(n) for n in (x, y, right, y, right, lower, x, lower)]]
    if kind == "packed":
        found = mask.encode(np.asfortranarray(marked))
        return {"size": found["size"], "counts": found["counts"].decode()}
    flat = marked.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges.tolist(), len(flat)]).tolist()
    return {"size": list(marked.shape), "counts": [0, *counts] if flat[0] else counts}
