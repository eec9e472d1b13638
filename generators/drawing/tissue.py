"""A whole tissue patch in one compiled call, since a dozen small ones would cost as much again."""

import numpy as np
from numba import njit

from raresight.generators.drawing import nuclei, stain

# The side of the periodic noise banks: far larger than a nucleus, small enough for the cache.
BANK = 256
# Fibres down, fibres across, fine and coarse chromatin, and the sensor's grain.
Banks = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
CANDIDATES = 6
MARGIN = 2.0  # pixels between a body's centre and the border, so that no figure is cut off
WINDOWS = 6  # rows of ``corners``: stroma's two, one a colour channel, and one whose parity is used


@njit(cache=True, error_model="numpy")
def paint(
    kinds: np.ndarray,
    ranges: np.ndarray,
    draws: np.ndarray,
    directions: np.ndarray,
    places: np.ndarray,
    corners: np.ndarray,
    banks: Banks,
    factors: tuple[float, ...],
    image: np.ndarray,
    mask: np.ndarray,
    boxes: np.ndarray,
) -> None:
    """Draw bodies of ``kinds`` (n,) on stroma and photograph them.

    ``ranges`` (kinds, 9, 2), ``draws`` (n, 11) and ``directions`` (n, 2) are as in
    :func:`nuclei.shape`, ``places`` (n, CANDIDATES, 2) as in :func:`nuclei.place`; ``corners``
    (WINDOWS, 2) are where the windows of noise begin. ``banks`` are fibres down, fibres across,
    fine and coarse chromatin, and grain; ``factors`` are radius, chromatin, stroma, haematoxylin,
    eosin, hue, shade_x, shade_y, blur and noise.

    The last ``len(boxes)`` bodies carry the label. ``image`` (H, H, 3), ``mask`` (H, H, zeroed) and
    ``boxes`` (m, 4) are filled.
    """
    radius, chromatin, contrast, blue, pink, hue, shade_x, shade_y, blur, noise = factors
    down, across, fine, coarse, grain = banks
    size, count = image.shape[0], len(kinds)
    bodies = np.empty((count, nuclei.COLUMNS))
    nuclei.shape(kinds, ranges, draws, directions, radius, chromatin, BANK, bodies)
    nuclei.place(places, MARGIN, size, 2.2 * radius, bodies)
    haematoxylin = np.empty((size, size), np.float32)
    eosin = np.empty((size, size), np.float32)
    planes = np.empty((3, size, size), np.float32)
    fibres = down if corners[5, 0] % 2 else across
    stain.lay_stroma(fibres, fine, corners, contrast, haematoxylin, eosin)
    nuclei.stain_bodies(
        bodies, count - len(boxes), fine, coarse, haematoxylin, eosin, mask, boxes
    )  # fmt: skip
    stain.transmit(haematoxylin, eosin, (blue, pink), hue, (shade_x, shade_y), planes)
    stain.blur(planes, blur)
    stain.develop(planes, grain, corners[2:5], noise, image)
