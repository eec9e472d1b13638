"""Photographs of 512 pixels read in at 224, beside torchvision's ImageFolder and a DataLoader."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader

from benchmarks.inputs import write_params
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from raresight.pipeline.models.torchvision_registry import models
from raresight.pipeline.stages import generate

_SIDE = 512
_BATCH = 64
_DRAWN = 100
_ROUNDS = 3


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """The whole stage, which also checks, names and groups every file by its content and writes the
    pixels; the peer decodes, resizes and hands them over.
    """
    write_photographs(folder / "photos", sizes.read)
    section = as_they_lie(folder / "photos", sizes.large_side)
    params = write_params(folder / "params.yaml", {"generate": section})

    def ours() -> None:
        generate.run(params, folder / "data", workers=2)

    models()  # whose operators may have to be declared before torchvision is imported
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    def theirs() -> None:
        steps = [v2.Resize((sizes.large_side,) * 2, antialias=True), v2.PILToTensor()]
        images = ImageFolder(folder / "photos", transform=v2.Compose(steps))
        for _ in DataLoader(images, batch_size=_BATCH, num_workers=2):
            pass

    # The files were written just now, and so many that three rounds are enough.
    rounds = min(sizes.rounds, _ROUNDS)
    mine, other = interleave(clock(ours), clock(theirs), rounds=rounds, warm_up=False)
    yield Measurement(
        what=f"generate: JPEGs of {_SIDE} pixels read in at {sizes.large_side}, --workers 2",
        peer="ImageFolder, DataLoader(num_workers=2)",
        ours=mine,
        theirs=other,
        goal=Goal(kind="speed-up", bound=1),
        images=sizes.read,
    )


def as_they_lie(folder: Path, side: int) -> dict[str, Any]:
    """The section generate that reads a folder of classes in, at so many pixels."""
    source = {"generator": "folder", "options": {"path": str(folder)}}
    return {"image_size": side, "positive": None, "sources": [source]}


def write_photographs(folder: Path, count: int) -> None:
    """JPEGs with the blur and the grain that photographs have, in two classes.

    A hundred are drawn; the others repeat them, with a byte or more behind the image's end, so that
    no two files are the same.
    """
    rng = np.random.default_rng(1)
    drawn = [_photograph(rng) for _ in range(min(count, _DRAWN))]
    for k in range(count):
        path = folder / "ab"[k % 2] / f"{k:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn[k % len(drawn)] + b"%d" % k)


def _photograph(rng: np.random.Generator) -> bytes:
    coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8))
    smooth = np.asarray(coarse.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC), np.int16)
    grain = rng.integers(-12, 13, smooth.shape, np.int16)
    out = io.BytesIO()
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()
