"""Outlines of objects as COCO writes them, as pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from raresight.generators.real.contents import Content


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Polygons (x, y, x, y, ...), or run lengths down the columns, first of what is outside."""

    polygons: tuple[tuple[float, ...], ...] = ()
    counts: tuple[int, ...] | None = None

    @classmethod
    def of(cls, segmentation: Any, box: Sequence[float]) -> "Outline":
        """That of an annotation: its box (x, y, width, height) where nothing is outlined."""
        if isinstance(segmentation, dict):
            counts = segmentation["counts"]
            return cls(counts=_unpacked(counts) if isinstance(counts, str) else tuple(counts))
        if segmentation:
            return cls(polygons=tuple(map(tuple, segmentation)))
        x, y, width, height = box
        right, lower = x + width, y + height
        return cls(polygons=((x, y, right, y, right, lower, x, lower),))

    def drawn(self, size: tuple[int, int]) -> np.ndarray:
        """Which pixels of an image of ``size`` (width, height) it holds: bool (h, w)."""
        width, height = size
        if self.counts is None:
            filled = [_filled(np.reshape(one, (-1, 2)), size) for one in self.polygons]
            return np.asarray(np.logical_or.reduce(filled))
        flat = np.repeat(np.arange(len(self.counts)) % 2 == 1, self.counts)
        if len(flat) != width * height:
            raise ValueError(f"run lengths of {len(flat)} pixels, not of {width} x {height}")
        return flat.reshape(width, height).T


def _filled(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels whose center is inside a polygon (n, 2), by the even-odd rule: bool (h, w)."""
    width, height = size
    crossings = np.zeros((height, width + 1), np.int32)
    middles = np.arange(height) + 0.5
    for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]]):
        rows = np.flatnonzero((y0 <= middles) != (y1 <= middles))
        # Where the edge crosses the middle of each row; pixels whose center lies right of it are
        # on its other side.
        x = x0 + (middles[rows] - y0) * (x1 - x0) / (y1 - y0) if len(rows) else np.empty(0)
        first = np.clip(np.ceil(x - 0.5), 0, width).astype(int)
        crossings[rows, first] += 1
    return np.asarray(crossings.cumsum(axis=1)[:, :width] % 2 == 1)


def _unpacked(text: str) -> tuple[int, ...]:
    """Run lengths from COCO's text: 5 bits a character, the lowest first; from the third on, the
    difference to the one before the last (maskApi.c of cocoapi, rleFrString)."""
    counts: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:  # more follows
            continue
        if bits & 16:  # negative
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value, shift = 0, 0
    return tuple(counts)


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
