"""Mistakes beside the pixels that they came from, as one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from raresight.pipeline.report.figures.contact_sheet import (
    FAINT,
    GROUND,
    INK,
    enlarged,
    font,
    shortened,
    with_outline,
)

_TILE, _GAP, _MARGIN, _CAPTION = 128, 8, 28, 20
_COLUMNS = 8
_FOR, _AGAINST = np.array((255.0, 128, 0)), np.array((64.0, 160, 255))
_LIGHT = 0.45  # of the image beneath the colors
_EXTREME = 99.5  # percentile of the strengths that has the full color


@dataclass(frozen=True, kw_only=True, eq=False)
class Explained:
    """An ``image`` uint8 (H, W, 3), its ``mask`` (H, W) where it is known, and what each pixel adds
    to the class in question, float (H, W); ``score`` is that of the class.
    """

    image: np.ndarray
    mask: np.ndarray | None
    attribution: np.ndarray
    actual: str
    predicted: str
    score: float

    @property
    def share_in_mask(self) -> tuple[float, float] | None:
        """Which share of all that speaks for the class lies in the mask, and the mask's own share
        of the image; None without a mask, or where nothing speaks for it.
        """
        strength = np.maximum(self.attribution, 0)
        if self.mask is None or not self.mask.any() or not strength.sum():
            return None
        inside = self.mask > 0
        return float(strength[inside].sum() / strength.sum()), float(inside.mean())


def write_explained(found: Mapping[str, Sequence[Explained]], path: Path) -> None:
    """Write a PNG: of each kind a heading, and each image above its colored copy.

    Orange speaks for the class in question, blue against it; a line is around the mask.
    """
    width = 2 * _MARGIN + _COLUMNS * (_TILE + _GAP) - _GAP
    bands = [_band(kind, images, width) for kind, images in found.items()]
    sheet = Image.new("RGB", (width, 2 * _MARGIN + sum(band.height for band in bands)), GROUND)
    top = _MARGIN
    for band in bands:
        sheet.paste(band, (0, top))
        top += band.height
    ImageDraw.Draw(sheet).text(
        (_MARGIN, top + 12), "orange speaks for the class, blue against it", FAINT, font(13), "ls"
    )
    sheet.save(path, format="PNG")


def _band(kind: str, images: Sequence[Explained], width: int) -> Image.Image:
    line = 2 * (_TILE + _GAP) + _CAPTION
    lines = -(-len(images) // _COLUMNS)
    band = Image.new("RGB", (width, 40 + max(lines, 0) * (line + _GAP)), GROUND)
    pen = ImageDraw.Draw(band)
    pen.text((_MARGIN, 22), kind if images else f"no {kind}", INK, font(17, bold=True), "ls")
    for place, one in enumerate(images):
        left = _MARGIN + place % _COLUMNS * (_TILE + _GAP)
        top = 40 + place // _COLUMNS * (line + _GAP)
        for number, pixels in enumerate((one.image, colored(one.image, one.attribution))):
            picture = enlarged(pixels, _tile(one.image))
            if one.mask is not None and one.mask.any():
                picture = with_outline(picture, one.mask)
            band.paste(picture, (left, top + number * (_TILE + _GAP)))
        caption = f"{one.score:.3g}  {one.actual} → {one.predicted}"
        small = font(12)
        place_of_text = (left, top + line - 4)
        pen.text(place_of_text, shortened(caption, small, _TILE), FAINT, small, "ls")
    return band


def _tile(image: np.ndarray) -> tuple[int, int]:
    """Width and height of a picture whose longer side is that of a tile."""
    height, width = image.shape[:2]
    scale = _TILE / max(height, width)
    return max(1, round(width * scale)), max(1, round(height * scale))


def colored(image: np.ndarray, attribution: np.ndarray) -> np.ndarray:
    """The image in gray, uint8 (H, W, 3), with colors as strong as the attribution (H, W)."""
    gray = np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1) * _LIGHT
    full = np.percentile(np.abs(attribution), _EXTREME)
    strength = np.clip(attribution / full, -1, 1)[..., None] if full > 0 else np.zeros((1, 1, 1))
    color = np.where(strength > 0, _FOR, _AGAINST)
    return np.asarray(gray + (color - gray) * np.abs(strength), np.uint8)
