"""An image file as the pixels that a model sees: the one way for training and for use alike.

Every image becomes a square RGB image by one rule: turned upright by its EXIF orientation, laid on
white where it is transparent, shrunk or enlarged (bicubic, antialiased) until its longer side fits,
and centred; what is left free takes the mean colour of the image's border.
"""

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

_MAX_PIXELS = 80_000_000  # about 300 MB once decoded


def read_image(file: str | Path | bytes, image_size: int) -> np.ndarray:
    """The pixels of a file, or of its bytes: uint8 (image_size, image_size, 3).

    Raises what reading the file raises; ValueError or an error of Pillow's where it is no image,
    which :func:`reason` puts into words.
    """
    content = file if isinstance(file, bytes) else Path(file).read_bytes()
    return np.asarray(squared(decode(content), image_size))


def readable_name(name: str) -> str:
    """A file name as valid Unicode: bytes that are not UTF-8 become ``\\xff`` and the like."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def hidden(name: str) -> bool:
    return name.startswith(".")


def files_below(folder: Path) -> Iterator[Path]:
    """Every file at any depth but hidden ones; linked folders are not entered."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not hidden(name)]
        yield from (Path(parent, name) for name in names if not hidden(name))


def natural(path: Path) -> tuple[list[str | int], Path]:
    """Sorts numbers in names by their value."""
    parts = re.split("([0-9]+)", str(path))
    return [int(part) if k % 2 else part for k, part in enumerate(parts)], path


def reason(error: Exception) -> str:
    """Why a file cannot be read, without a full stop."""
    if isinstance(error, Image.UnidentifiedImageError):
        return "not an image that Pillow knows"
    return (str(error) or type(error).__name__).rstrip(".")


def decode(content: bytes) -> Image.Image:
    """An upright RGB image, fully loaded; of several frames the first."""
    if not content:
        raise ValueError("the file is empty")
    with Image.open(io.BytesIO(content)) as image:
        if image.width * image.height > _MAX_PIXELS:
            size = f"{image.width} x {image.height}"
            raise ValueError(f"{size} pixels, more than {_MAX_PIXELS // 10**6} million")
        image.load()
        return _to_rgb(ImageOps.exif_transpose(image))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _grey(image, 65535)
    if image.mode == "F":
        return _grey(image, 1)
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        return image if converted is None else converted  # None: converted in place
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _grey(image: Image.Image, white: int) -> Image.Image:
    """Numbers from 0 to ``white`` as 8-bit grey; with others, no scale would surely be right."""
    values = np.asarray(image, dtype=np.float64)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= white):
        raise ValueError(f"{image.mode} pixels from {low:g} to {high:g}; 0 to {white} can be read")
    return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8)).convert("RGB")


def squared(image: Image.Image, side: int) -> Image.Image:
    """The image within ``side`` x ``side`` pixels, in its own proportions."""
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    if image.size == (side, side):
        return image
    square = Image.new("RGB", (side, side), _border_mean(np.asarray(image)))
    square.paste(image, ((side - width) // 2, (side - height) // 2))
    return square


def _border_mean(pixels: np.ndarray) -> tuple[int, ...]:
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    return tuple(np.rint(border.mean(axis=0)).astype(int).tolist())
