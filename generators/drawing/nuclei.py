"""Cell nuclei as distance fields that stain haematoxylin: resting, dividing, dying, and debris.

A body is a row of numbers (the columns below). Distances are in pixels, negative inside; only the
pixels of a body's bounding box are visited.
"""

import numpy as np
from numba import njit

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
    period: int,
    bodies: np.ndarray,
) -> None:
    """Fill all columns of ``bodies`` (n, 15) but the place.

    ``ranges`` (kinds, 9, 2) holds low and high of each SHAPE column, lengths in units of ``radius``
    pixels; ``draws`` (n, 11) are uniform; ``directions`` (n, 2) are Gaussian, and only their
    direction counts. ``chromatin`` scales the texture's contrast, ``period`` is the side of the
    noise banks.
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
        body[HALO] = value[7] * max(body[LENGTH], body[WIDTH] + body[GAP])
        body[PINK] = value[8]
        body[U], body[V] = int(draws[i, 9] * period), int(draws[i, 10] * period)
        norm = np.sqrt(directions[i, 0] ** 2 + directions[i, 1] ** 2)
        body[COS], body[SIN] = directions[i, 0] / norm, directions[i, 1] / norm


@njit(cache=True, error_model="numpy")
def place(draws: np.ndarray, margin: float, size: int, apart: float, bodies: np.ndarray) -> None:
    """Give each body a centre, spread out: of several candidates the farthest from all before it.

    ``draws`` is (n, candidates, 2) in [0, 1). Mitchell's best candidate (1991) gives the even,
    random spacing of cells that do not overlap. ``apart`` is enough: a candidate that far is taken
    at once.
    """
    count, candidates, _ = draws.shape
    span = size - 2.0 * margin
    for i in range(count):
        best = -1.0
        for k in range(candidates):
            x = margin + span * draws[i, k, 0]
            y = margin + span * draws[i, k, 1]
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

    Bodies from ``first_label`` on carry the label and are drawn into ``mask`` too. ``boxes`` (n, 4)
    receives x, y, width and height of each body's pixels. ``fine`` and ``coarse`` are noise banks,
    periodic and padded by the image's size: chromatin and ragged outlines are windows of them.
    """
    for i in range(len(bodies)):
        _stain_body(
            bodies[i], i >= first_label, fine, coarse, haematoxylin, eosin, mask, boxes[i]
        )  # fmt: skip


@njit(cache=True, error_model="numpy")
def _stain_body(
    body: np.ndarray,
    labelled: bool,
    fine: np.ndarray,
    coarse: np.ndarray,
    haematoxylin: np.ndarray,
    eosin: np.ndarray,
    mask: np.ndarray,
    box: np.ndarray,
) -> None:
    height, width = haematoxylin.shape
    halo, gap, ragged = _F(body[HALO]), _F(body[GAP]), _F(body[RAGGED])
    margin = max(body[HALO], 0.5 + 2.0 * body[RAGGED])
    along, across = body[LENGTH] + margin, body[WIDTH] + body[GAP] + margin
    cos, sin = _F(body[COS]), _F(body[SIN])
    # The extent of a turned ellipse: sqrt((a cos)^2 + (b sin)^2), and the other way round.
    reach_x = np.sqrt((along * cos) ** 2 + (across * sin) ** 2)
    reach_y = np.sqrt((along * sin) ** 2 + (across * cos) ** 2)
    x0, x1 = max(0, int(body[X] - reach_x)), min(width, int(body[X] + reach_x) + 1)
    y0, y1 = max(0, int(body[Y] - reach_y)), min(height, int(body[Y] + reach_y) + 1)
    u, v = int(body[U]), int(body[V])
    by_length, by_width = _F(1.0 / body[LENGTH] ** 2), _F(1.0 / body[WIDTH] ** 2)
    stain, chromatin, rim = _F(body[STAIN]), _F(body[CHROMATIN]), _F(body[RIM])
    clearing = _F(1.0 / max(body[HALO], 1e-6))
    far = _F(margin)
    zero, one, half = _F(0.0), _F(1.0), _F(0.5)
    left, top, right, bottom = width, height, 0, 0
    for y in range(y0, y1):
        py = _F(y + 0.5 - body[Y])
        h, e = haematoxylin[y], eosin[y]
        rough, grain = coarse[y + v], fine[y + v]
        for x in range(x0, x1):
            px = _F(x + 0.5 - body[X])
            dx = px * cos + py * sin
            dy = py * cos - px * sin
            if gap > zero:
                dy = abs(dy) - gap
            a, b = dx * dx * by_length, dy * dy * by_width
            # Distance to the ellipse, to first order: (q - 1) / |grad q| for q = a + b.
            slope = _F(2.0) * np.sqrt(a * by_length + b * by_width)
            d = (a + b - one) / max(slope, _F(1e-3))
            if d > far:
                continue
            d += ragged * (rough[x + u] + half * grain[x + u])
            cover = min(max(half - d, zero), one)
            if zero < d < halo:
                clear = one - d * clearing
                h[x] *= one - _F(0.8) * clear
                e[x] *= one + clear * _F(body[PINK])
            if cover > zero:
                membrane = rim * max(zero, one - abs(d + _F(0.8)) * _F(0.9))
                amount = max(stain * (one + chromatin * grain[x + u]) + membrane, _F(0.05))
                h[x] += cover * (amount - h[x])
                e[x] *= one - half * cover
                if cover >= half:
                    left, top = min(left, x), min(top, y)
                    right, bottom = max(right, x + 1), max(bottom, y + 1)
                    if labelled:
                        mask[y, x] = 1
    box[0], box[1] = left, top
    box[2], box[3] = max(0, right - left), max(0, bottom - top)
