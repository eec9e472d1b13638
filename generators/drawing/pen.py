"""Lines on their way to pixels: bent, put in their place, and drawn with a round pen.

Lines are straight pieces, the array (n, 4) of (x0, y0, x1, y1), as in
:mod:`raresight.generators.drawing.outline`: of a font the outline of a character, of a hand its
strokes.
"""

import math

import numpy as np
from numba import njit

from raresight.generators.drawing.outline import cover

LATTICE = 4  # crossings of the bending grid, each way


@njit(cache=True)
def bend(edges: np.ndarray, lattice: np.ndarray, amount: float) -> np.ndarray:
    """Move every point of the unit box by up to ``amount``, smoothly from place to place.

    ``lattice`` (2, k, k) holds numbers in [-1, 1]: how far x and y move at the crossings of a grid;
    between them the movement is interpolated, so that pieces that touch stay together.
    """
    out = np.empty_like(edges)
    cells = lattice.shape[1] - 1
    for k in range(len(edges)):
        for end in (0, 2):
            x, y = edges[k, end], edges[k, end + 1]
            u, v = min(max(x, 0.0), 0.999999) * cells, min(max(y, 0.0), 0.999999) * cells
            i, j = int(u), int(v)
            fx, fy = u - i, v - j
            fx, fy = fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy)
            for axis in range(2):
                field = lattice[axis]
                top = field[j, i] * (1.0 - fx) + field[j, i + 1] * fx
                low = field[j + 1, i] * (1.0 - fx) + field[j + 1, i + 1] * fx
                moved = amount * (top * (1.0 - fy) + low * fy)
                out[k, end + axis] = (x if axis == 0 else y) + moved
    return out


@njit(cache=True)
def turn(edges: np.ndarray, slant: float, rotation: float) -> np.ndarray:
    """Lean by ``slant`` (x moved for each y, to the right going up), then rotate by ``rotation``
    (radians, clockwise on the image)."""
    cos, sin = math.cos(rotation), math.sin(rotation)
    out = np.empty_like(edges)
    for k in range(len(edges)):
        for end in (0, 2):
            x, y = edges[k, end] - slant * edges[k, end + 1], edges[k, end + 1]
            out[k, end], out[k, end + 1] = x * cos - y * sin, x * sin + y * cos
    return out


@njit(cache=True)
def fit(
    edges: np.ndarray, x: float, y: float, width: float, height: float, aspect: float
) -> np.ndarray:
    """Scale and move lines so that they are ``height`` high around (x, y).

    They become ``width`` wide; with a ``width`` of 0 they keep their proportions times ``aspect``.
    """
    left = min(edges[:, 0].min(), edges[:, 2].min())
    right = max(edges[:, 0].max(), edges[:, 2].max())
    top = min(edges[:, 1].min(), edges[:, 3].min())
    bottom = max(edges[:, 1].max(), edges[:, 3].max())
    down = height / max(bottom - top, 1e-6)
    across = down * aspect
    if width > 0.0:
        across = min(width / max(right - left, 1e-6), 4.0 * down)  # an upright line stays a line
    out = np.empty_like(edges)
    for k in range(len(edges)):
        for end in (0, 2):
            out[k, end] = x + (edges[k, end] - (left + right) / 2.0) * across
            out[k, end + 1] = y + (edges[k, end + 1] - (top + bottom) / 2.0) * down
    return out


@njit(cache=True)
def measure(edges: np.ndarray, reach: float, side: int) -> np.ndarray:
    """Each pixel centre's distance to the nearest line, (side, side), where it is less than
    ``reach``, and ``reach`` elsewhere; all in pixels."""
    height = width = side
    out = np.full((side, side), reach * reach)
    for k in range(len(edges)):
        ax, ay, bx, by = edges[k]
        dx, dy = bx - ax, by - ay
        length = max(dx * dx + dy * dy, 1e-12)
        x0, x1 = max(0, math.floor(min(ax, bx) - reach)), min(width, math.ceil(max(ax, bx) + reach))
        y0, y1 = (
            max(0, math.floor(min(ay, by) - reach)),
            min(height, math.ceil(max(ay, by) + reach)),
        )
        for y in range(y0, y1):
            v = y + 0.5 - ay
            for x in range(x0, x1):
                u = x + 0.5 - ax
                t = min(max((u * dx + v * dy) / length, 0.0), 1.0)
                away = (u - t * dx) ** 2 + (v - t * dy) ** 2
                if away < out[y, x]:
                    out[y, x] = away
    for y in range(height):
        for x in range(width):
            out[y, x] = math.sqrt(out[y, x])
    return out


@njit(cache=True)
def draw(distance: np.ndarray, radius: float, out: np.ndarray) -> None:
    """Write into ``out`` (H, W) the share of each pixel that a round pen of ``radius`` covers."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = min(max(radius - distance[y, x] + 0.5, 0.0), 1.0)


@njit(cache=True)
def embolden(distance: np.ndarray, amount: float, out: np.ndarray) -> None:
    """Move the border of what is covered in ``out`` (H, W) outwards by ``amount`` pixels, or
    inwards where it is below 0; ``distance`` is that to the border."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            near = min(max(abs(amount) - distance[y, x] + 0.5, 0.0), 1.0)
            if amount > 0.0:
                out[y, x] = max(out[y, x], near)
            elif amount < 0.0:
                out[y, x] = min(out[y, x], 1.0 - near)


@njit(cache=True)
def scan(cover: np.ndarray, pixels: int) -> np.ndarray:
    """The share of black in each square of a black-and-white scan, (pixels, pixels).

    A point of ``cover`` is black where half of it or more is covered: so the NIST forms became the
    8 x 8 digits (bitmaps of 32 x 32, counted in squares of 4 x 4).
    """
    k = cover.shape[0] // pixels
    out = np.empty((pixels, pixels))
    for y in range(pixels):
        for x in range(pixels):
            black = 0
            for v in range(k):
                for u in range(k):
                    black += cover[y * k + v, x * k + u] >= 0.5
            out[y, x] = black / (k * k)
    return out


def drawn(lines: np.ndarray, reach: float, by_hand: bool, side: int) -> np.ndarray:
    """The share of each pixel (side, side) that is covered: by a pen that follows the lines with
    radius ``reach``, or by what they enclose, moved outwards by it; all in shares of the side."""
    covered, pixels = np.zeros((side, side)), reach * side
    if by_hand:
        draw(measure(lines * side, pixels + 1, side), pixels, covered)
        return covered
    cover(lines * side, covered)
    if pixels:
        embolden(measure(lines * side, abs(pixels) + 1, side), pixels, covered)
    return covered


def strokes(litter: np.ndarray, width: float, side: int) -> np.ndarray:
    """The share of each pixel (side, side) that stray strokes cover, by a pen of ``width`` (shares
    of the side): each is (x, y, turns, length) in [0, 1)."""
    if not len(litter):
        return np.zeros((side, side))
    x, y, turns, length = litter.T
    along = 0.05 + 0.2 * length
    across, down = along * np.cos(np.pi * turns), along * np.sin(np.pi * turns)
    lines = np.array((x - across, y - down, x + across, y + down)).T.copy()
    return drawn(lines, width / 2, True, side)
