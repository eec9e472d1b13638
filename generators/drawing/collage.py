"""A whole collage in one compiled call, since a dozen small ones would cost twice as much again.

On a ground lie strokes, a shape, a card that hides part of it, and strokes before that. Lengths are
shares of the image's side, angles of strokes and of the card are turns.
"""

import math

import numpy as np
from numba import njit

from raresight.generators.drawing.canvas import lay_ground, mark, paint
from raresight.generators.drawing.color import rgb
from raresight.generators.drawing.noise import take
from raresight.generators.drawing.outline import BOX, place
from raresight.generators.drawing.stain import develop

STROKE = 7  # numbers that decide on a stroke: before or behind, x, y, turns, length, width, shade
CORNERS = 3  # rows of ``corners``: the grain of each colour channel
_MOTTLE, _FALL = 0.05, 0.3  # lightness: deviation of a noisy ground, and fall across a gradient
_LENGTH, _WIDTH = (0.1, 0.35), (0.02, 0.05)  # of strokes


@njit(cache=True, error_model="numpy")
def glue(
    outline: np.ndarray,
    factors: tuple[float, ...],
    ground: tuple[bool, bool],
    turns: tuple[float, float],
    strokes: np.ndarray,
    corners: np.ndarray,
    window: np.ndarray,
    banks: tuple[np.ndarray, np.ndarray],
    image: np.ndarray,
    mask: np.ndarray,
) -> tuple[tuple[int, int, int, int], float]:
    """Draw the shape ``outline`` (n, 4) among ``strokes`` (m, STROKE), behind a card.

    ``factors`` are size, x, y, rotation, hue, ground_hue, saturation, lightness, contrast,
    occlusion and noise; ``ground`` says whether it has a gradient and whether it has noise;
    ``turns`` are the directions of the gradient and of the card. ``banks`` are mottle, of which
    ``window`` decides on a part as in :func:`noise.take`, and grain, padded, whose windows begin
    at ``corners`` (CORNERS, 2).

    ``image`` (H, H, 3) and ``mask`` (H, H), 1 where half a pixel or more of the shape is visible,
    are filled. Returns the box (x, y, width, height) around the mask, all 0 where it is empty, and
    the visible share of the shape's pixels.
    """
    size, x, y, rotation, hue, ground_hue, saturation, lightness, contrast, occlusion, noise = (
        factors
    )
    side = image.shape[0]
    planes = np.empty((3, side, side), np.float32)
    share = np.empty((side, side), np.float32)
    visible = np.zeros((side, side), np.float32)
    mottle, grain = banks
    colour = rgb(ground_hue, lightness, saturation / 2.0)
    _ground(ground, colour, turns[0], mottle, window, share, planes)

    palette = (hue, lightness, contrast, saturation)
    _strokes(strokes, False, palette, planes, share, visible)

    radius, cx, cy = size * side / 2.0, x * side, y * side
    edges = place(outline, cx, cy, math.radians(rotation), radius, radius)
    colour = rgb(hue, lightness + contrast, saturation)
    x0, y0, x1, y1 = paint(edges, colour, planes, share, visible)
    visible[:] = 0.0
    visible[y0:y1, x0:x1] = share[y0:y1, x0:x1]
    whole, _ = mark(visible, mask)

    card = _card(cx, cy, radius, occlusion, turns[1])
    paint(card, _other(palette, 0.5), planes, share, visible)
    _strokes(strokes, True, palette, planes, share, visible)
    seen, box = mark(visible, mask)
    develop(planes, grain, corners, noise, image)
    return box, seen / max(1, whole)


@njit(cache=True, error_model="numpy")
def _ground(
    kind: tuple[bool, bool],
    colour: tuple[float, float, float],
    turn: float,
    mottle: np.ndarray,
    window: np.ndarray,
    share: np.ndarray,
    planes: np.ndarray,
) -> None:
    """Fill ``planes`` with the ground: does it have a gradient, and does it have noise?"""
    fall, angle = _FALL if kind[0] else 0.0, 2.0 * math.pi * turn
    share[:] = 0.0
    if kind[1]:
        take(mottle, window, share)
    slope = (fall * math.cos(angle), fall * math.sin(angle))
    lay_ground(colour, slope, share, _MOTTLE, planes)


@njit(cache=True, error_model="numpy")
def _card(cx: float, cy: float, radius: float, occlusion: float, turn: float) -> np.ndarray:
    """Outline of the card that hides a share of the shape's diameter from the side ``turn``."""
    depth, angle = radius * occlusion, 2.0 * math.pi * turn
    x, y = cx + (radius - depth) * math.cos(angle), cy + (radius - depth) * math.sin(angle)
    return place(BOX, x, y, angle, depth, radius)


@njit(cache=True, error_model="numpy")
def _strokes(
    strokes: np.ndarray,
    before: bool,
    palette: tuple[float, float, float, float],
    planes: np.ndarray,
    share: np.ndarray,
    visible: np.ndarray,
) -> None:
    """Paint those of the strokes that lie before the shape, or those behind it."""
    for stroke in strokes:
        if (stroke[0] >= 0.5) == before:
            _stroke(stroke, palette, planes, share, visible)


@njit(cache=True, error_model="numpy")
def _stroke(
    stroke: np.ndarray,
    palette: tuple[float, float, float, float],
    planes: np.ndarray,
    share: np.ndarray,
    visible: np.ndarray,
) -> None:
    """Paint a bar from its STROKE numbers in [0, 1)."""
    side = share.shape[0]
    along = (_LENGTH[0] + (_LENGTH[1] - _LENGTH[0]) * stroke[4]) * side / 2.0
    across = (_WIDTH[0] + (_WIDTH[1] - _WIDTH[0]) * stroke[5]) * side / 2.0
    edges = place(BOX, stroke[1] * side, stroke[2] * side, math.pi * stroke[3], along, across)
    paint(edges, _other(palette, stroke[6]), planes, share, visible)


@njit(cache=True, error_model="numpy")
def _other(palette: tuple[float, float, float, float], shade: float) -> tuple[float, float, float]:
    """A colour that is neither the shape's nor the ground's: beyond the ground's lightness."""
    hue, lightness, contrast, saturation = palette
    light = lightness - contrast * (0.3 + 0.7 * shade)
    return rgb(hue + 90.0 + 180.0 * shade, light, saturation)
