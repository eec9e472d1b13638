"""Masks in files of their own, beside their images."""

import io
import os
from pathlib import Path
from string import Formatter

import numpy as np
from PIL import Image, ImageOps

from raresight.generators.base import BadImages
from raresight.generators.image_file import Read, reason
from raresight.generators.reading.fitting import fitted_mask
from raresight.generators.real.contents import Content

_FIELDS = ("folder", "name")


def is_template(text: str) -> str:
    """``text``, where it says by ``{folder}`` and ``{name}`` where the mask of an image lies."""
    try:
        used = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError(f"no template: {error}") from None
    if "name" not in used or not used <= set(_FIELDS):
        raise ValueError(
            "must have {name}, the image's name without its suffix, and may have {folder}, its "
            "folder below `path`, such as '{folder}/{name}_mask.png'"
        )
    return text


def fixed_folder(template: str) -> str:
    """The folder below which the masks of all images lie, from that of the images."""
    return template.partition("{")[0].rpartition("/")[0]


def mask_file(root: Path, template: str, folder: Path, image: Path) -> Path | None:
    """The file of the mask of ``image``, which lies in ``folder`` below ``root``; None without."""
    found = Path(os.path.normpath(root / template.format(folder=folder, name=image.stem)))
    return found if found.is_file() else None


def read_mask(mask: Content, image: str, read: Read) -> np.ndarray:
    """Which pixels of an image that was ``read`` carry the label, uint8 (H, W).

    Marked is what is not black in ``mask``, which has to be of the size of the ``image``, a name.
    BadImages where the mask cannot be read or is of another size.
    """
    try:
        marked = _marked(mask.read())
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        raise BadImages(f"mask {mask.name}: {reason(error)}.") from None
    if (found := marked.shape[::-1]) != read.size:
        raise BadImages(
            f"mask {mask.name} is {found[0]} x {found[1]} pixels, but {image} is {read.size[0]} x "
            f"{read.size[1]}: they have to be of one size."
        )
    return fitted_mask(marked, read.window)


def _marked(content: bytes | np.ndarray) -> np.ndarray:
    """What is not black: bool (h, w)."""
    if isinstance(content, np.ndarray):
        return np.asarray(content.reshape(*content.shape[:2], -1).any(axis=2))
    with Image.open(io.BytesIO(content)) as opened:
        return np.asarray(ImageOps.exif_transpose(opened).convert("L")) > 0
