"""A whole tissue patch in one compiled call, since a dozen small ones would cost as much again."""

import numpy as np
from numba import njit

from raresight.generators.drawing import nuclei, stain
from raresight.generators.drawing.noise import take

CANDIDATES = 6
MARGIN = 2.0  # pixels between a body's centre and the border, so that no figure is cut off
CORNERS = 4  # rows of ``corners``: the stroma's mottle, and the grain of each colour channel


@njit(cache=True, error_model="numpy")
def paint(
    kinds: np.ndarray,
    draws: np.ndarray,
    directions: np.ndarray,
    places: np.ndarray,
    ranges: np.ndarray,
    corners: np.ndarray,
    window: np.ndarray,
    banks: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    factors: tuple[float, ...],
    image: np.ndarray,
    mask: np.ndarray,
    boxes: np.ndarray,
) -> None:
    """Draw bodies of ``kinds`` (n,) on stroma and photograph them.

    ``draws`` (n, 11), ``directions`` (n, 2) and ``ranges`` (kinds, 9, 2) are as in
    :func:`nuclei.shape`, ``places`` (n, CANDIDATES, 2) as in :func:`nuclei.place`; ``corners``
    (CORNERS, 2) are where plain windows of noise begin, and ``window`` decides on that of the
    fibres as in :func:`noise.take`. ``banks`` are fibres, fine and coarse chromatin (padded to the
    right), and grain (padded); ``factors`` are radius, chromatin, stroma, haematoxylin, eosin, hue,
    shade_x, shade_y, blur, noise, crowd_x and crowd_y.

    The last ``len(boxes)`` bodies carry the label. ``image`` (H, H, 3), ``mask`` (H, H, zeroed) and
    ``boxes`` (m, 4) are filled.
    """
    radius, chromatin, contrast, blue, pink, hue = factors[:6]
    shade_x, shade_y, blur, noise, crowd_x, crowd_y = factors[6:]
    bank, fine, coarse, grain = banks
    size, count = image.shape[0], len(kinds)
    bodies = np.empty((count, nuclei.COLUMNS))
    nuclei.shape(kinds, ranges, draws, directions, radius, chromatin, bodies)
    nuclei.place(places, (crowd_x, crowd_y), MARGIN, size, 2.2 * radius, bodies)
    haematoxylin = np.empty((size, size), np.float32)
    eosin = np.empty((size, size), np.float32)
    planes = np.empty((3, size, size), np.float32)
    fibres = np.empty((size, size), np.float32)
    take(bank, window, fibres)
    stain.lay_stroma(fibres, fine, corners[0], contrast, haematoxylin, eosin)
    nuclei.stain_bodies(
        bodies, count - len(boxes), fine, coarse, haematoxylin, eosin, mask, boxes
    )  # fmt: skip
    stain.transmit(haematoxylin, eosin, (blue, pink), hue, (shade_x, shade_y), planes)
    stain.blur(planes, blur)
    stain.develop(planes, grain, corners[1:], noise, image)
