"""Composites: a labelled object with its surroundings, in another image (Dwibedi et al. 2017).

Careless ones cost more than they give: without surroundings, or with the object always whole and in
the middle, they mark what they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

_TRIES = 20  # places that are looked at before another ground is taken


@dataclass(frozen=True, kw_only=True)
class Cut:
    """An object, cut out: ``pixels`` uint8 (h, w, C), ``mask`` bool (h, w), and ``alpha`` float
    (h, w) in [0, 1], how much of each pixel is taken along.

    ``flush`` says of which sides (top, bottom, left, right) the image ended within reach: there the
    object has to lie at the border again, or its cut would be seen.
    """

    pixels: np.ndarray
    mask: np.ndarray
    alpha: np.ndarray
    flush: tuple[bool, bool, bool, bool]


def cut_out(image: np.ndarray, mask: np.ndarray, *, surroundings: int) -> Cut:
    """The pixels of ``mask`` uint8 (H, W) in ``image`` uint8 (H, W, C), and what is around them.

    ValueError where the mask is empty.
    """
    inside = mask > 0
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise ValueError("there is no object to cut out: the mask is empty")
    reach, (height, width) = 2 * surroundings + 1, inside.shape
    ends = (rows[0] - reach, rows[-1] + 1 + reach, columns[0] - reach, columns[-1] + 1 + reach)
    flush = (ends[0] <= 0, ends[1] >= height, ends[2] <= 0, ends[3] >= width)
    top, bottom = max(0, ends[0]), min(height, ends[1])
    left, right = max(0, ends[2]), min(width, ends[3])
    alpha = _alpha(inside, surroundings)
    return Cut(
        pixels=image[top:bottom, left:right],
        mask=inside[top:bottom, left:right],
        alpha=alpha[top:bottom, left:right],
        flush=(bool(flush[0]), bool(flush[1]), bool(flush[2]), bool(flush[3])),
    )


def _alpha(inside: np.ndarray, surroundings: int) -> np.ndarray:
    """1 in the object, falling to 0 about twice ``surroundings`` away from it: float (H, W)."""
    if not surroundings:
        return inside.astype(np.float32)
    # Beyond the image it goes on as at its border, so that nothing fades there.
    size = 2 * surroundings + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    grown = cv2.dilate(inside.astype(np.uint8), disc).astype(np.float32)
    soft = cv2.GaussianBlur(grown, (size, size), surroundings / 2, borderType=cv2.BORDER_REPLICATE)
    found: np.ndarray = np.maximum(soft, inside)
    return found


def turned(cut: Cut, *, quarter_turns: int, mirrored: bool) -> Cut:
    """The cut turned counterclockwise and then mirrored left to right; no pixel is resampled."""
    top, bottom, left, right = cut.flush
    for _ in range(quarter_turns % 4):
        top, bottom, left, right = right, left, top, bottom
    if mirrored:
        left, right = right, left

    def moved(values: np.ndarray) -> np.ndarray:
        values = np.rot90(values, quarter_turns)
        return values[:, ::-1] if mirrored else values

    return Cut(
        pixels=moved(cut.pixels),
        mask=moved(cut.mask),
        alpha=moved(cut.alpha),
        flush=(top, bottom, left, right),
    )


def place(cut: Cut, occupied: np.ndarray, rng: np.random.Generator) -> tuple[int, int] | None:
    """The upper left corner of a place for the cut where nothing is ``occupied``, bool (H, W).

    None where none of twenty was free, or the cut does not fit.
    """
    (height, width), (h, w) = occupied.shape, cut.mask.shape
    if h > height or w > width:
        return None
    top, bottom, left, right = cut.flush
    for _ in range(_TRIES):
        y = _along(height - h, top, bottom, rng)
        x = _along(width - w, left, right, rng)
        if y is None or x is None:
            return None
        if not occupied[y : y + h, x : x + w][cut.alpha > 0].any():
            return y, x
    return None


def _along(room: int, first: bool, last: bool, rng: np.random.Generator) -> int | None:
    """Where a side begins that has so much ``room``; at the end at which it was cut."""
    if first and last:
        return 0 if room == 0 else None
    if first:
        return 0
    return room if last else int(rng.integers(0, room + 1))


def paste(cut: Cut, ground: np.ndarray, corner: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The ground uint8 (H, W, C) with the cut at ``corner``, and the mask of its object."""
    (y, x), (h, w) = corner, cut.mask.shape
    made, mask = ground.copy(), np.zeros(ground.shape[:2], np.uint8)
    mask[y : y + h, x : x + w] = cut.mask
    part, share = made[y : y + h, x : x + w].astype(np.float32), cut.alpha[..., None]
    made[y : y + h, x : x + w] = np.rint(share * cut.pixels + (1 - share) * part)
    return made, mask


def contrast(image: np.ndarray, mask: np.ndarray) -> float:
    """How far the mean of the masked pixels is from that of a ring around them, in gray levels:
    the largest over the channels."""
    inside = mask > 0
    ring = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    ring &= ~inside
    if not inside.any() or not ring.any():
        return 0.0
    apart = image[inside].mean(axis=0) - image[ring].mean(axis=0)
    return float(np.abs(apart).max())


def composite(
    image: np.ndarray,
    mask: np.ndarray,
    grounds: Sequence[tuple[np.ndarray, np.ndarray | None]],
    rng: np.random.Generator,
    *,
    surroundings: int,
) -> tuple[np.ndarray, np.ndarray, int] | None:
    """The object of ``image`` on the first of ``grounds`` (image and mask or None, each) that has a
    place for it: the pixels, the mask, and which ground it was; None where no one has.

    On square images it is turned by a symmetry first.
    """
    square = image.shape[0] == image.shape[1]
    cut = turned(
        cut_out(image, mask, surroundings=surroundings),
        quarter_turns=int(rng.integers(0, 4)) if square else 2 * int(rng.integers(0, 2)),
        mirrored=bool(rng.integers(0, 2)),
    )
    for number, (ground, labelled) in enumerate(grounds):
        occupied = np.zeros(ground.shape[:2], bool) if labelled is None else labelled > 0
        corner = place(cut, occupied, rng)
        if corner is not None:
            return (*paste(cut, ground, corner), number)
    return None
