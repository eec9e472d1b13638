"""An image file as the pixels that a model sees: the one way for training and for use alike.

Every image becomes an RGB image of one shape by one rule: turned upright by its EXIF orientation,
laid on white where it is transparent, shrunk or enlarged (bicubic, antialiased) until it fits, and
centered; what is left free takes the mean color of the image's border. :class:`Reading` says what
of that is chosen otherwise.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from raresight.generators.reading.decoding import decode
from raresight.generators.reading.fitting import Fit, Window, content_box, fitted, window_of
from raresight.generators.reading.png import plain_png
from raresight.generators.reading.ranges import Range


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How an image becomes the pixels of a canvas, besides the canvas's shape.

    ``fit``: see :func:`~raresight.generators.reading.fitting.window_of`. ``crop_to`` content cuts
    off a border of one color first. ``range`` says which values of more than 8 bits become black
    and white; ``dtype``: those at the ends of their kind of number.
    """

    fit: Fit = "pad"
    crop_to: Literal["content"] | None = None
    range: Range = "dtype"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> "Reading":
        """That of :meth:`as_json`."""
        value = document.get("range", "dtype")
        return cls(**{**document, "range": value if value == "dtype" else tuple(value)})


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """An image as it was read: uint8 (H, W, 3), its own size (width, height), and its window."""

    pixels: np.ndarray
    size: tuple[int, int]
    window: Window


AS_IT_IS = Reading()


def read_image(
    file: str | Path | bytes, image_size: int | Sequence[int], reading: Reading = AS_IT_IS
) -> np.ndarray:
    """The pixels of a file, or of its bytes: uint8 (H, W, 3).

    ``image_size`` is the side of a square in pixels, or height and width. Raises what reading the
    file raises; ValueError or an error of Pillow's where it is no image, which :func:`reason` puts
    into words.
    """
    content = file if isinstance(file, bytes) else Path(file).read_bytes()
    return read_content(content, shape_of(image_size), reading).pixels


def read_content(content: bytes | np.ndarray, shape: tuple[int, int], reading: Reading) -> Read:
    """As :func:`read_image`, of bytes or an array of pixels, with what else a mask has to know."""
    pixels = plain_png(content) if isinstance(content, bytes) else None
    if pixels is not None:
        if reading.crop_to is None and pixels.shape[:2] == shape:
            size = shape[::-1]
            return Read(pixels=pixels, size=size, window=window_of(size, shape, reading.fit))
        content = pixels
    if reading.crop_to is None:
        found = decode(
            content,
            value_range=reading.range,
            scale=lambda size: window_of(size, shape, reading.fit).scale,
        )
        window = window_of(found.size, shape, reading.fit)
    else:  # where the content ends has to be seen first
        found = decode(content, value_range=reading.range)
        window = window_of(found.size, shape, reading.fit, content_box(found.image))
    pixels = fitted(found.image, window, reduced=found.reduced)
    return Read(pixels=pixels, size=found.size, window=window)


def shape_of(image_size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width of an image whose size is one number, or both."""
    if isinstance(image_size, int):
        return image_size, image_size
    height, width = image_size
    return height, width


def readable_name(name: str) -> str:
    """A file name as valid Unicode: bytes that are not UTF-8 become ``\\xff`` and the like."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


# What systems and other programs leave among somebody's files.
_LEFT_BEHIND = {"__macosx", "lost+found", "@eadir", "$recycle.bin", "system volume information"}


def hidden(name: str) -> bool:
    """Whether a file or folder is none of those that a person put there."""
    return name.startswith(".") or name.lower() in _LEFT_BEHIND


def files_below(folder: Path) -> Iterator[Path]:
    """Every file at any depth but hidden ones; linked folders are not entered."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not hidden(name)]
        yield from (Path(parent, name) for name in names if not hidden(name))


def natural(path: Path) -> tuple[list[str | int], Path]:
    """Sorts numbers in names by their value."""
    parts = re.split("([0-9]+)", str(path))
    return [int(part) if k % 2 else part for k, part in enumerate(parts)], path


def named_as_image(path: Path) -> bool:
    """Whether a file has the suffix of an image that can be read."""
    return path.suffix.lower() in _suffixes()


@cache
def _suffixes() -> frozenset[str]:
    Image.init()
    return frozenset(Image.EXTENSION) | {".dcm", ".dicom"}


def reason(error: Exception) -> str:
    """Why a file cannot be read, without a full stop."""
    if isinstance(error, Image.UnidentifiedImageError):
        return "not an image that Pillow knows"
    return (str(error) or type(error).__name__).rstrip(".")
