"""Outlines of objects as COCO writes them, as pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from raresight.generators.real.contents import Content


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Polygons (x, y, x, y, ...), or run lengths down the columns: counts, or packed as text."""

    polygons: tuple[tuple[float, ...], ...] = ()
    counts: tuple[int, ...] | str | None = None

    @classmethod
    def of(cls, segmentation: Any, box: Sequence[float]) -> "Outline":
        """That of an annotation: its box (x, y, width, height) where nothing is outlined."""
        if isinstance(segmentation, dict):
            counts = segmentation["counts"]
            return cls(counts=counts if isinstance(counts, str) else tuple(counts))
        if segmentation:
            return cls(polygons=tuple(map(tuple, segmentation)))
        x, y, width, height = box
        right, lower = x + width, y + height
        return cls(polygons=((x, y, right, y, right, lower, x, lower),))

    def drawn(self, size: tuple[int, int]) -> np.ndarray:
        """Which pixels of an image of ``size`` (width, height) it holds: bool (h, w)."""
        width, height = size
        if isinstance(self.counts, str):
            return _unpacked(self.counts, size)
        if self.counts is not None:
            values = np.arange(len(self.counts)) % 2 == 1
            flat = np.repeat(values, self.counts)
            if len(flat) != width * height:
                raise ValueError(f"run lengths of {len(flat)} pixels, not of {width} x {height}")
            return flat.reshape(width, height).T
        canvas = Image.new("1", size)
        draw = ImageDraw.Draw(canvas)
        for corners in self.polygons:
            points = list(zip(corners[::2], corners[1::2], strict=True))
            if len(points) > 2:
                draw.polygon([(x - 0.5, y - 0.5) for x, y in points], fill=1)
        return np.asarray(canvas)


def _unpacked(counts: str, size: tuple[int, int]) -> np.ndarray:
    if find_spec("pycocotools") is None:
        raise ValueError("packed run lengths need pycocotools: pip install 'raresight[coco]'")
    from pycocotools import mask

    width, height = size
    packed = {"size": [height, width], "counts": counts.encode()}
    return np.asarray(mask.decode(packed), bool)


@dataclass(frozen=True, kw_only=True)
class Marked(Content):
    """Which pixels of an image, the one of name ``of``, objects hold."""

    of: str
    size: tuple[int, int]
    outlines: tuple[Outline, ...]

    def read(self) -> np.ndarray:
        drawn = [one.drawn(self.size) for one in self.outlines]
        return np.logical_or.reduce(drawn).astype(np.uint8)

    @property
    def name(self) -> str:
        return f"of {self.of}"
