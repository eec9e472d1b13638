"""Plane shapes as signed distance fields, and how much of each pixel they cover.

A shape lives in a unit frame: its circumscribed circle has radius 1 around the origin, y points down.
Distances are negative inside. The closed forms follow Quilez, "2D distance functions"
(https://iquilezles.org/articles/distfunctions2d/).
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

POLYGON, CIRCLE, ELLIPSE, RING, CRESCENT, SEMICIRCLE = range(6)

ELLIPSE_WIDTH = 0.55  # minor semi-axis
RING_INNER = 0.6  # radius of the hole
BITE_X, BITE_RADIUS = 0.45, 0.8  # the disc that is taken out of a crescent
_FLAT = np.zeros((0, 2))
_AT_OUTLINE = 0.75  # pixels: a little more than half a pixel's diagonal


@dataclass(frozen=True)
class Shape:
    """A kind of distance field; ``vertices`` (n, 2) are those of a polygon, else empty."""

    kind: int
    vertices: np.ndarray


def polygon(*points: tuple[float, float]) -> Shape:
    """A simple polygon, scaled so that its farthest vertex lies on the unit circle."""
    vertices = np.array(points, dtype=np.float64)
    return Shape(POLYGON, vertices / np.sqrt((vertices**2).sum(axis=1).max()))


def regular(corners: int) -> Shape:
    """The regular polygon with one corner on top."""
    return polygon(*(_on_circle(k / corners, 1.0) for k in range(corners)))


def star(points: int, inner: float) -> Shape:
    """A star whose notches lie on a circle of radius ``inner``."""
    radii = (1.0, inner) * points
    return polygon(*(_on_circle(k / (2 * points), r) for k, r in enumerate(radii)))


def _on_circle(turn: float, radius: float) -> tuple[float, float]:
    angle = 2.0 * math.pi * turn
    return radius * math.sin(angle), -radius * math.cos(angle)


def _cross(arm: float) -> Shape:
    a = arm
    return polygon(
        (-a, -1), (a, -1), (a, -a), (1, -a), (1, a), (a, a),
        (a, 1), (-a, 1), (-a, a), (-1, a), (-1, -a), (-a, -a),
    )  # fmt: skip


SHAPES: dict[str, Shape] = {
    "arrow": polygon((0, -1), (0.8, 0), (0.3, 0), (0.3, 1), (-0.3, 1), (-0.3, 0), (-0.8, 0)),
    "circle": Shape(CIRCLE, _FLAT),
    "crescent": Shape(CRESCENT, _FLAT),
    "cross": _cross(0.3),
    "ellipse": Shape(ELLIPSE, _FLAT),
    "hexagon": regular(6),
    "octagon": regular(8),
    "pentagon": regular(5),
    "rectangle": polygon((-2, -1), (2, -1), (2, 1), (-2, 1)),
    "rhombus": polygon((0, -1.8), (1, 0), (0, 1.8), (-1, 0)),
    "ring": Shape(RING, _FLAT),
    "semicircle": Shape(SEMICIRCLE, _FLAT),
    "square": regular(4),
    "star": star(5, 0.42),
    "triangle": regular(3),
}


@njit(cache=True)
def _polygon_distance(x: float, y: float, vertices: np.ndarray) -> float:
    """Distance to the nearest edge; the sign flips at every edge that a ray to the right crosses."""
    nearest, sign = 1e300, 1.0
    x0, y0 = vertices[-1]
    for k in range(len(vertices)):
        x1, y1 = vertices[k]
        ex, ey, wx, wy = x0 - x1, y0 - y1, x - x1, y - y1
        t = min(max((wx * ex + wy * ey) / (ex * ex + ey * ey), 0.0), 1.0)
        nearest = min(nearest, (wx - ex * t) ** 2 + (wy - ey * t) ** 2)
        if (y1 > y) != (y0 > y) and x < x1 + ex * wy / ey:
            sign = -sign
        x0, y0 = x1, y1
    return sign * math.sqrt(nearest)


@njit(cache=True)
def _ellipse_distance(x: float, y: float, width: float) -> float:
    """To first order: exact on the outline, which is where it decides about a pixel."""
    v = y / width
    q = math.sqrt(x * x + v * v)
    slope = math.sqrt(x * x + (v / width) ** 2)
    return q * (q - 1.0) / slope if slope > 1e-9 else -width


@njit(cache=True)
def signed_distance(kind: int, vertices: np.ndarray, x: float, y: float) -> float:
    """Distance of (x, y) from the outline of a shape in its unit frame, negative inside."""
    if kind == POLYGON:
        return _polygon_distance(x, y, vertices)
    if kind == ELLIPSE:
        return _ellipse_distance(x, y, ELLIPSE_WIDTH)
    radius = math.sqrt(x * x + y * y)
    if kind == RING:
        return max(radius - 1.0, RING_INNER - radius)
    if kind == CRESCENT:
        return max(radius - 1.0, BITE_RADIUS - math.sqrt((x - BITE_X) ** 2 + y * y))
    if kind == SEMICIRCLE:
        return max(radius - 1.0, y)
    return radius - 1.0


@njit(cache=True)
def _share(
    kind: int, vertices: np.ndarray, u: float, v: float, turn: tuple[float, float], radius: float
) -> float:
    """The covered share of a pixel at the outline: a soft edge in each of its four quarters.

    One soft edge a pixel is 5 to 8 dB worse at corners and slanted edges.
    """
    step, total = 0.25 / radius, 0.0
    for dx in (-step, step):
        for dy in (-step, step):
            along, across = dx * turn[0] + dy * turn[1], dy * turn[0] - dx * turn[1]
            distance = radius * signed_distance(kind, vertices, u + along, v + across)
            total += min(max(0.5 - 2.0 * distance, 0.0), 1.0)
    return total / 4.0


@njit(cache=True)
def cover(
    kind: int,
    vertices: np.ndarray,
    centre: tuple[float, float],
    turn: tuple[float, float],
    radius: float,
    out: np.ndarray,
) -> tuple[int, int, int, int]:
    """Write the share of each pixel that a shape covers into its bounding box in ``out`` (H, W).

    ``centre`` (x, y) and ``radius`` (of the circumscribed circle) are in pixels, ``turn`` is the
    cosine and sine of its rotation. Returns the box (x0, y0, x1, y1) that was written; the rest of
    ``out`` is left alone.
    """
    height, width = out.shape
    x0, x1 = max(0, int(centre[0] - radius - 1)), min(width, int(centre[0] + radius + 2))
    y0, y1 = max(0, int(centre[1] - radius - 1)), min(height, int(centre[1] + radius + 2))
    for y in range(y0, y1):
        dy = (y + 0.5 - centre[1]) / radius
        x = x0
        while x < x1:
            dx = (x + 0.5 - centre[0]) / radius
            u, v = dx * turn[0] + dy * turn[1], dy * turn[0] - dx * turn[1]
            distance = radius * signed_distance(kind, vertices, u, v)
            # Within the distance nothing changes, so that many pixels are alike. Half of it, since
            # deep in an ellipse the first order says up to twice the true distance.
            alike = min(x1, x + max(1, int(0.5 * abs(distance))))
            value = 0.0 if distance > 0.0 else 1.0
            if abs(distance) < _AT_OUTLINE:
                value = _share(kind, vertices, u, v, turn, radius)
            for k in range(x, alike):
                out[y, k] = value
            x = alike
    return x0, y0, x1, y1
