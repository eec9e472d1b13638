"""Cell nuclei as distance fields that stain haematoxylin: resting, dividing, dying, and debris.

A body is a row of numbers (the columns below). Distances are in pixels, negative inside; only the
pixels of a body's bounding box are visited.
"""

import numpy as np
from numba import njit

from raresight.generators.drawing.noise import SMALL

# Columns of a body: place, half axes and direction, then how it stains.
X, Y, LENGTH, WIDTH, COS, SIN, STAIN, CHROMATIN, RIM, RAGGED, GAP, HALO, PINK, U, V = range(15)
COLUMNS = 15

# Columns of a kind's ranges, in the order of the draws that fill them.
SHAPE = ("length", "width", "stain", "chromatin", "rim", "ragged", "gap", "halo", "pink")
DRAWS = len(SHAPE) + 2  # and two for the window of noise

_F = np.float32


@njit(cache=True, error_model="numpy")
def shape(
    kinds: np.ndarray,
    ranges: np.ndarray,
    draws: np.ndarray,
    directions: np.ndarray,
    radius: float,
    chromatin: float,
    bodies: np.ndarray,
) -> None:
    """Fill all columns of ``bodies`` (n, 15) but the place.

    ``ranges`` (kinds, 9, 2) holds low and high of each SHAPE column, lengths in units of ``radius``
    pixels; ``draws`` (n, 11) are uniform; ``directions`` (n, 2) are Gaussian, and only their
    direction counts. ``chromatin`` scales the texture's contrast.
    """
    for i in range(len(kinds)):
        low, high = ranges[kinds[i], :, 0], ranges[kinds[i], :, 1]
        value = low + (high - low) * draws[i, :9]
        body = bodies[i]
        body[LENGTH] = value[0] * radius
        body[WIDTH] = value[1] * radius
        body[STAIN] = value[2]
        body[CHROMATIN] = value[3] * chromatin
        body[RIM] = value[4]
        body[RAGGED] = value[5]
        body[GAP] = value[6] * radius
        body[HALO] = max(0.0, value[7]) * max(body[LENGTH], body[WIDTH] + body[GAP])
        body[PINK] = value[8]
        body[U], body[V] = int(draws[i, 9] * SMALL), int(draws[i, 10] * SMALL)
        norm = np.sqrt(directions[i, 0] ** 2 + directions[i, 1] ** 2)
        body[COS], body[SIN] = directions[i, 0] / norm, directions[i, 1] / norm


@njit(cache=True, error_model="numpy")
def place(
    draws: np.ndarray,
    crowding: tuple[float, float],
    margin: float,
    size: int,
    apart: float,
    bodies: np.ndarray,
) -> None:
    """Give each body a centre, spread out: of several candidates the farthest from all before it.

    ``draws`` is (n, candidates, 2) in [0, 1). Mitchell's best candidate (1991) gives the even,
    random spacing of cells that do not overlap. ``apart`` is enough: a candidate that far is taken
    at once. ``crowding`` (x, y) in (-1, 1) draws them together on one side: u becomes u + c u (1 -
    u), whose slope 1 + c (1 - 2 u) is one over the density.
    """
    count, candidates, _ = draws.shape
    span = size - 2.0 * margin
    for i in range(count):
        best = -1.0
        for k in range(candidates):
            u, v = draws[i, k]
            x = margin + span * (u + crowding[0] * u * (1.0 - u))
            y = margin + span * (v + crowding[1] * v * (1.0 - v))
            nearest = 1e9
            for j in range(i):
                nearest = min(nearest, (bodies[j, X] - x) ** 2 + (bodies[j, Y] - y) ** 2)
            if nearest > best:
                best = nearest
                bodies[i, X] = x
                bodies[i, Y] = y
            if best >= apart * apart:
                break


@njit(cache=True, error_model="numpy")
def stain_bodies(
    bodies: np.ndarray,
    first_label: int,
    fine: np.ndarray,
    coarse: np.ndarray,
    haematoxylin: np.ndarray,
    eosin: np.ndarray,
    mask: np.ndarray,
    boxes: np.ndarray,
) -> None:
    """Draw ``bodies`` (n, 15), later ones on top, into the stain planes (H, W).

    Bodies from ``first_label`` on carry the label: they are drawn into ``mask`` too, and ``boxes``
    (n - first_label, 4) receives x, y, width and height of each one's pixels. ``fine`` and
    ``coarse`` are small noise banks, periodic and padded to the right by the image's size: ragged
    outlines and chromatin are windows of them.
    """
    distance = np.empty(haematoxylin.shape[1], np.float32)
    for i in range(len(bodies)):
        body, extent = bodies[i], _extent(bodies[i], haematoxylin.shape)
        box = boxes[max(0, i - first_label) :]
        if i >= first_label:
            box[0] = (extent[1], extent[3], extent[0], extent[2])  # nothing found yet
        for y in range(extent[2], extent[3]):
            row = distance[extent[0] : extent[1]]
            _measure(body, y, extent[0], coarse, fine, row)
            _stain_row(body, y, extent[0], row, fine, haematoxylin[y], eosin[y])
            if i >= first_label:
                _mark(row, y, extent[0], mask[y], box[0])
        if i >= first_label:
            box[0, 2:] = np.maximum(box[0, 2:] - box[0, :2], 0.0)


@njit(cache=True, error_model="numpy")
def _margin(body: np.ndarray) -> float:
    """How far from its outline a body changes pixels."""
    return max(body[HALO], 0.5 + 2.0 * body[RAGGED])


@njit(cache=True, error_model="numpy")
def _extent(body: np.ndarray, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """The pixels x0 to x1 and y0 to y1 (exclusive) that a body can change.

    The extent of a turned ellipse is sqrt((a cos)^2 + (b sin)^2), and the other way round.
    """
    along = body[LENGTH] + _margin(body)
    across = body[WIDTH] + body[GAP] + _margin(body)
    cos, sin = _F(body[COS]), _F(body[SIN])
    reach_x = np.sqrt((along * cos) ** 2 + (across * sin) ** 2)
    reach_y = np.sqrt((along * sin) ** 2 + (across * cos) ** 2)
    x0, x1 = max(0, int(body[X] - reach_x)), min(shape[1], int(body[X] + reach_x) + 1)
    y0, y1 = max(0, int(body[Y] - reach_y)), min(shape[0], int(body[Y] + reach_y) + 1)
    return x0, max(x0, x1), y0, max(y0, y1)


@njit(cache=True, error_model="numpy")
def _measure(
    body: np.ndarray, y: int, x0: int, coarse: np.ndarray, fine: np.ndarray, out: np.ndarray
) -> None:
    """Fill ``out`` with the distances of a row's pixels from ``x0`` on to a body's ragged outline.

    To first order the distance to an ellipse is (q - 1) / |grad q| for q = a + b. Pixels beyond
    the margin, where the order no longer holds, get the margin plus raggedness at least: no stain.
    """
    cos, sin = _F(body[COS]), _F(body[SIN])
    by_length, by_width = _F(1.0 / body[LENGTH] ** 2), _F(1.0 / body[WIDTH] ** 2)
    gap, ragged, far = _F(body[GAP]), _F(body[RAGGED]), _F(_margin(body))
    start, v = x0 + int(body[U]), (y + int(body[V])) % SMALL
    rough, grain = coarse[v, start:][: len(out)], fine[v, start:][: len(out)]
    py, left = _F(y + 0.5 - body[Y]), x0 + 0.5 - body[X]
    nowhere = _F(1e9)
    for x in range(len(out)):
        px = _F(left + x)
        dx = px * cos + py * sin
        dy = py * cos - px * sin
        dy = abs(dy) - gap if gap > _F(0.0) else dy
        a, b = dx * dx * by_length, dy * dy * by_width
        slope = _F(2.0) * np.sqrt(a * by_length + b * by_width)
        d = (a + b - _F(1.0)) / max(slope, _F(1e-3))
        rim = d + ragged * (rough[x] + _F(0.5) * grain[x])
        out[x] = nowhere if d > far else rim


@njit(cache=True, error_model="numpy")
def _stain_row(
    body: np.ndarray,
    y: int,
    x0: int,
    distance: np.ndarray,
    fine: np.ndarray,
    haematoxylin: np.ndarray,
    eosin: np.ndarray,
) -> None:
    """Lay a body's row over the stains: a cleared halo around it, then chromatin and membrane."""
    start, size = x0 + int(body[U]), len(distance)
    grain = fine[(y + int(body[V])) % SMALL, start:][:size]
    h, e = haematoxylin[x0:][:size], eosin[x0:][:size]
    stain, chromatin, rim = _F(body[STAIN]), _F(body[CHROMATIN]), _F(body[RIM])
    halo, pink = _F(body[HALO]), _F(body[PINK])
    clearing = _F(1.0 / max(body[HALO], 1e-6))
    zero, one, half = _F(0.0), _F(1.0), _F(0.5)
    for x in range(size):
        d = distance[x]
        clear = one - d * clearing if (d > zero) & (d < halo) else zero
        blue, red = h[x] * (one - _F(0.8) * clear), e[x] * (one + clear * pink)
        cover = min(max(half - d, zero), one)
        membrane = rim * max(zero, one - abs(d + _F(0.8)) * _F(0.9))
        amount = max(stain * (one + chromatin * grain[x]) + membrane, _F(0.05))
        h[x] = blue + cover * (amount - blue)
        e[x] = red * (one - half * cover)


@njit(cache=True, error_model="numpy")
def _mark(distance: np.ndarray, y: int, x0: int, mask: np.ndarray, box: np.ndarray) -> None:
    """Set the mask where a body covers half a pixel or more, and widen its box (x0, y0, x1, y1)."""
    for x in range(len(distance)):
        if min(max(_F(0.5) - distance[x], _F(0.0)), _F(1.0)) >= _F(0.5):
            mask[x0 + x] = 1
            box[0], box[1] = min(box[0], x0 + x), min(box[1], y)
            box[2], box[3] = max(box[2], x0 + x + 1), max(box[3], y + 1)
