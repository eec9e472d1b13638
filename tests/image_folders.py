"""Folders of images as the generator `folder` reads them."""

from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from raresight.generators.base import Generator, Record, Unreadable
from raresight.generators.folder import Folder, FolderOptions


def save(path: Path, colour, mode: str = "RGB", size=(6, 6), **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)
    return path


def folder(root: Path, side: int = 6, **options) -> Folder:
    return Folder(FolderOptions(path=str(root), **options), side)


def read_all(generator: Generator, name: str = "raw") -> dict:
    """Every record that can be read with its sample, as the stage reads them, to the end."""
    found, unreadable = {}, {}
    for stream in generator.streams(name):
        for record in stream:
            try:
                found[record] = generator.sample(record, np.random.default_rng(0))
            except Unreadable as error:
                unreadable[error.file] = error.why
    generator.finish(unreadable, Counter(record.label for record in found))
    return found


def records(root: Path, **options) -> list[Record]:
    """Those of all files that can be read."""
    return list(read_all(folder(root, **options)))


def names(root: Path, **options) -> list[str]:
    return [str(record.path.relative_to(root)) for record in records(root, **options)]


def read(root: Path, image: Image.Image, *, side: int = 6, suffix="png", **options) -> np.ndarray:
    """What the generator makes of an image saved as a file."""
    path = root / "cat" / f"1.{suffix}"
    image.save(path, **options)
    return read_file(root, path, side=side)


def read_file(root: Path, path: Path, *, side: int = 6) -> np.ndarray:
    found = read_all(folder(root, side))
    return next(sample.image for record, sample in found.items() if record.path == path)
