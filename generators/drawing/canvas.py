"""A canvas of float32 colour planes (3, H, W) in [0, 1], on which outlines are painted in turn."""

import numpy as np
from numba import njit

from raresight.generators.drawing.outline import cover

_F = np.float32


@njit(cache=True)
def lay_ground(
    colour: tuple[float, float, float],
    slope: tuple[float, float],
    mottle: np.ndarray,
    depth: float,
    planes: np.ndarray,
) -> None:
    """Fill ``planes`` with a colour whose lightness changes over the image.

    It changes by ``slope`` (x, y) from side to side, and by ``depth`` times the noise ``mottle``
    (H, W).
    """
    _, height, width = planes.shape
    step, deep = _F(slope[0] / width), _F(depth)
    for y in range(height):
        start = _F(slope[1] * ((y + 0.5) / height - 0.5) + slope[0] * (0.5 / width - 0.5))
        noise = mottle[y]
        for channel in range(3):
            plane, base = planes[channel, y], _F(colour[channel]) + start
            for x in range(width):
                plane[x] = base + step * _F(x) + deep * noise[x]


@njit(cache=True)
def paint(
    edges: np.ndarray,
    colour: tuple[float, float, float],
    planes: np.ndarray,
    share: np.ndarray,
    visible: np.ndarray,
) -> tuple[int, int, int, int]:
    """Paint the inside of ``edges`` over ``planes``, and take what it hides off ``visible`` (H, W).

    ``share`` (H, W) receives the covered share of each pixel in the bounding box (x0, y0, x1, y1),
    which is returned.
    """
    x0, y0, x1, y1 = cover(edges, share)
    for y in range(y0, y1):
        covered, seen = share[y, x0:x1], visible[y, x0:x1]
        for x in range(len(covered)):
            seen[x] *= _F(1.0) - covered[x]
        for channel in range(3):
            plane, tone = planes[channel, y, x0:x1], _F(colour[channel])
            for x in range(len(covered)):
                plane[x] += covered[x] * (tone - plane[x])
    return x0, y0, x1, y1


@njit(cache=True)
def mark(visible: np.ndarray, mask: np.ndarray) -> tuple[int, tuple[int, int, int, int]]:
    """Set ``mask`` (H, W) to 1 where half a pixel or more is visible, and to 0 elsewhere.

    Returns how many pixels are, and the box (x, y, width, height) around them; of none, all 0.
    """
    height, width = visible.shape
    count, x0, y0, x1, y1 = 0, width, height, 0, 0
    for y in range(height):
        in_row = 0
        for x in range(width):
            inside = visible[y, x] >= _F(0.5)
            mask[y, x] = inside
            in_row += inside
        if in_row:
            count, y0, y1 = count + in_row, min(y0, y), y + 1
            x0, x1 = min(x0, _first(mask[y])), max(x1, width - _first(mask[y][::-1]))
    if not count:
        return 0, (0, 0, 0, 0)
    return count, (x0, y0, x1 - x0, y1 - y0)


@njit(cache=True)
def _first(row: np.ndarray) -> int:
    """The place of the first pixel that is not 0."""
    for x in range(len(row)):
        if row[x]:
            return x
    return len(row)


@njit(cache=True)
def tint(share: np.ndarray, colour: tuple[float, float, float], planes: np.ndarray) -> None:
    """Lay a colour over ``planes`` (3, H, W) where ``share`` (H, W) says how much of it."""
    for channel in range(3):
        plane, tone = planes[channel], _F(colour[channel])
        for y in range(share.shape[0]):
            for x in range(share.shape[1]):
                plane[y, x] += share[y, x] * (tone - plane[y, x])
