"""Masks in files of their own, beside their images."""

import io
import os
from pathlib import Path
from string import Formatter

import numpy as np
from PIL import Image, ImageOps

from raresight.generators.base import BadImages
from raresight.generators.image_file import decode, readable_name, reason

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


def read_mask(mask: Path, image: Path, side: int) -> np.ndarray:
    """Which pixels of an image within ``side`` x ``side`` carry the label, uint8 (side, side).

    Marked is what is not black in the file ``mask``, which has to be of the size of ``image``. A
    pixel is marked where half of it is; where none is, as of a speck, those marked most are.
    BadImages where the mask cannot be read or is of another size.
    """
    try:
        with Image.open(io.BytesIO(mask.read_bytes())) as opened:
            marked = np.asarray(ImageOps.exif_transpose(opened).convert("L")) > 0
        size = decode(image.read_bytes()).size
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        raise BadImages(f"mask {readable_name(str(mask))}: {reason(error)}.") from None
    if (found := marked.shape[::-1]) != size:
        raise BadImages(
            f"mask {readable_name(str(mask))} is {found[0]} x {found[1]} pixels, but "
            f"{readable_name(str(image))} is {size[0]} x {size[1]}: they have to be of one size."
        )
    scale = side / max(size)
    width, height = (max(1, round(length * scale)) for length in size)
    whole = Image.fromarray(marked.astype(np.float32))
    shares = np.asarray(whole.resize((width, height), Image.Resampling.BOX))
    kept = shares >= min(0.5, shares.max()) if marked.any() else shares > 1
    found_mask = np.zeros((side, side), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    found_mask[top : top + height, left : left + width] = kept
    return found_mask
