"""Folders of images as the generator `folder` reads them."""

from pathlib import Path

import numpy as np
from PIL import Image

from raresight.generators.base import Record
from raresight.generators.folder import Folder, FolderOptions


def save(path: Path, colour, mode: str = "RGB", size=(6, 6), **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)
    return path


def folder(root: Path, side: int = 6, **options) -> Folder:
    return Folder(FolderOptions(path=str(root), **options), side)


def records(root: Path, **options) -> list[Record]:
    return [record for stream in folder(root, **options).streams("raw") for record in stream]


def names(root: Path, **options) -> list[str]:
    return [str(record.path.relative_to(root)) for record in records(root, **options)]


def read(root: Path, image: Image.Image, *, side: int = 6, suffix="png", **options) -> np.ndarray:
    """What the generator makes of an image saved as a file."""
    path = root / "cat" / f"1.{suffix}"
    image.save(path, **options)
    return read_file(root, path, side=side)


def read_file(root: Path, path: Path, *, side: int = 6) -> np.ndarray:
    record = next(record for record in records(root) if record.path == path)
    return folder(root, side).sample(record, np.random.default_rng(0)).image
