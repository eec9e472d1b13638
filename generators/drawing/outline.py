"""Plane shapes as outlines, and exactly how much of each pixel they cover.

A shape is a closed outline in a unit frame: the array (n, 4) of its straight edges, each a row
(x0, y0, x1, y1), with the circumscribed circle of radius 1 around the origin and y pointing down.
Curves are cut into edges so short that they stay within 0.0001 of the radius. Parts that run the
other way round are holes.
"""

import math

import numpy as np
from numba import njit

_CUTS = 256  # edges of a full circle


def _edges(points: list[tuple[float, float]]) -> np.ndarray:
    start = np.array(points, dtype=np.float64)
    return np.hstack((start, np.roll(start, -1, axis=0)))


def polygon(*points: tuple[float, float]) -> np.ndarray:
    """The edges of a polygon, scaled so that its farthest corner lies on the unit circle."""
    edges = _edges(list(points))
    return edges / np.sqrt((edges[:, :2] ** 2).sum(axis=1).max())


def regular(corners: int) -> np.ndarray:
    """The regular polygon with one corner on top."""
    return _edges([_on_circle(k / corners) for k in range(corners)])


def star(points: int, inner: float) -> np.ndarray:
    """A star whose notches lie on a circle of radius ``inner``."""
    return _edges(
        [_on_circle(k / (2 * points), inner if k % 2 else 1.0) for k in range(2 * points)]
    )


def ellipse(width: float) -> np.ndarray:
    """An ellipse with semi-axes 1 and ``width``."""
    return regular(_CUTS) * (1.0, width, 1.0, width)


def ring(inner: float) -> np.ndarray:
    """The area between the unit circle and a circle of radius ``inner``."""
    return np.vstack((regular(_CUTS), inner * regular(_CUTS)[:, [2, 3, 0, 1]]))


def crescent(shift: float, radius: float) -> np.ndarray:
    """The unit disc without a disc of ``radius`` whose centre is ``shift`` to its right."""
    x = (1.0 + shift**2 - radius**2) / (2.0 * shift)  # the circles meet at (x, +-y)
    y = math.sqrt(1.0 - x**2)
    outer = _arc(0.0, 1.0, math.atan2(y, x), 2.0 * math.pi - math.atan2(y, x))
    bite = _arc(shift, radius, 2.0 * math.pi - math.atan2(y, x - shift), math.atan2(y, x - shift))
    return _edges(outer + bite)


def semicircle() -> np.ndarray:
    """The upper half of the unit disc."""
    return _edges([*_arc(0.0, 1.0, math.pi, 2.0 * math.pi), (1.0, 0.0)])


def cross(arm: float) -> np.ndarray:
    """A plus sign whose arms are ``2 * arm`` wide and reach from -1 to 1 before scaling."""
    a = arm
    return polygon(
        (-a, -1), (a, -1), (a, -a), (1, -a), (1, a), (a, a),
        (a, 1), (-a, 1), (-a, a), (-1, a), (-1, -a), (-a, -a),
    )  # fmt: skip


def _on_circle(turns: float, radius: float = 1.0) -> tuple[float, float]:
    angle = 2.0 * math.pi * turns
    return radius * math.sin(angle), -radius * math.cos(angle)


def _arc(x: float, radius: float, start: float, stop: float) -> list[tuple[float, float]]:
    """Points on a circle around (x, 0), without the last one."""
    cuts = max(1, round(_CUTS * abs(stop - start) / (2.0 * math.pi)))
    angles = [start + (stop - start) * k / cuts for k in range(cuts)]
    return [(x + radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


BOX = _edges([(-1, -1), (1, -1), (1, 1), (-1, 1)])  # to be stretched into bars and cards

SHAPES: dict[str, np.ndarray] = {
    "arrow": polygon((0, -1), (0.8, 0), (0.3, 0), (0.3, 1), (-0.3, 1), (-0.3, 0), (-0.8, 0)),
    "circle": regular(_CUTS),
    "crescent": crescent(shift=0.45, radius=0.8),
    "cross": cross(arm=0.3),
    "ellipse": ellipse(width=0.55),
    "hexagon": regular(6),
    "octagon": regular(8),
    "pentagon": regular(5),
    "rectangle": polygon((-2, -1), (2, -1), (2, 1), (-2, 1)),
    "rhombus": polygon((0, -1.8), (1, 0), (0, 1.8), (-1, 0)),
    "ring": ring(inner=0.6),
    "semicircle": semicircle(),
    "square": regular(4),
    "star": star(points=5, inner=0.42),
    "triangle": regular(3),
}


@njit(cache=True)
def place(
    edges: np.ndarray, x: float, y: float, angle: float, along: float, across: float
) -> np.ndarray:
    """Unit edges stretched by (``along``, ``across``), turned by ``angle`` (radians, clockwise on
    the image) and moved to (x, y); all in pixels."""
    cos, sin = math.cos(angle), math.sin(angle)
    out = np.empty_like(edges)
    for k in range(len(edges)):
        for end in (0, 2):
            u, v = edges[k, end] * along, edges[k, end + 1] * across
            out[k, end] = x + u * cos - v * sin
            out[k, end + 1] = y + u * sin + v * cos
    return out


@njit(cache=True)
def _bounds(edges: np.ndarray, height: int, width: int) -> tuple[int, int, int, int]:
    """The pixels (x0, y0, x1, y1) that edges can touch, cut to the image."""
    x0 = x1 = edges[0, 0]
    y0 = y1 = edges[0, 1]
    for k in range(1, len(edges)):
        x0, x1 = min(x0, edges[k, 0]), max(x1, edges[k, 0])
        y0, y1 = min(y0, edges[k, 1]), max(y1, edges[k, 1])
    left, right = max(0, math.floor(x0)), min(width, math.ceil(x1))
    top, bottom = max(0, math.floor(y0)), min(height, math.ceil(y1))
    return left, top, max(left, right), max(top, bottom)


@njit(cache=True)
def _left_share(left: float, right: float) -> float:
    """The mean of clamp(t, 0, 1) over t from ``left`` to ``right``.

    It is how much of a pixel lies right of an edge that crosses its row; t is the distance from the
    edge to the pixel's right side.
    """
    if right - left < 1e-9:
        return min(max(left, 0.0), 1.0)
    return (_ramp_integral(right) - _ramp_integral(left)) / (right - left)


@njit(cache=True)
def _ramp_integral(t: float) -> float:
    if t <= 0.0:
        return 0.0
    return 0.5 * t * t if t < 1.0 else t - 0.5


@njit(cache=True)
def _add_crossing(row: np.ndarray, xa: float, xb: float, drop: float, x0: int, x1: int) -> None:
    """Add what an edge, falling by ``drop`` within one row from xa to xb, changes at each pixel."""
    left, right = min(xa, xb), max(xa, xb)
    first = max(x0, math.floor(left))
    before = 0.0
    for x in range(first, min(x1, max(first + 1, math.floor(right) + 2))):
        share = _left_share(x + 1 - right, x + 1 - left)
        row[x] += drop * (share - before)
        before = share


@njit(cache=True)
def cover(edges: np.ndarray, out: np.ndarray) -> tuple[int, int, int, int]:
    """Write the exact share of each pixel that lies inside ``edges`` into ``out`` (H, W).

    ``edges`` is (n, 4) in pixels, where pixel (x, y) spans x to x + 1 and y to y + 1. Only the
    bounding box (x0, y0, x1, y1) is written, and returned. Each edge adds what it changes from one
    pixel to the next, and a running sum along the row makes areas of it, as in Levien's font-rs
    (2016). Against 16 x 16 samples a pixel it differs as these do from the truth: 56 to 67 dB.
    """
    x0, y0, x1, y1 = _bounds(edges, out.shape[0], out.shape[1])
    out[y0:y1, x0:x1] = 0.0
    for k in range(len(edges)):
        ax, ay, bx, by = edges[k]
        direction = 1.0
        if ay > by:
            ax, ay, bx, by, direction = bx, by, ax, ay, -1.0
        if by - ay < 1e-12:
            continue
        slope = (bx - ax) / (by - ay)
        for y in range(max(y0, math.floor(ay)), min(y1, math.ceil(by))):
            top, bottom = max(ay, float(y)), min(by, y + 1.0)
            xa, xb = ax + slope * (top - ay), ax + slope * (bottom - ay)
            _add_crossing(out[y], xa, xb, direction * (bottom - top), x0, x1)
    for y in range(y0, y1):
        total = 0.0
        for x in range(x0, x1):
            total += out[y, x]
            out[y, x] = min(abs(total), 1.0)
    return x0, y0, x1, y1
