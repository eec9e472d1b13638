"""Images that show the same once more: compressed, brighter, smaller, blurred, moved by a pixel,
cropped, turned or mirrored.

Thumbnails find candidates cheaply, and call far too many alike (nearly all of scikit-learn's
digits). Each candidate is then laid over the other at full resolution: the whole has to agree, and
so does what a thumbnail does not show.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.splitting.overlay import COARSE, THUMBNAIL, Likeness, compare

Stack = Pixels | np.ndarray  # (n, H, W, C) uint8

MOST = 50_000  # images that are compared; the time grows with the square of their number
_NEIGHBORS = 4  # of each image in each orientation that are looked at
_MANY = 32  # the same where groups have several images
_CANDIDATES = 8  # of these, in all orientations together, the nearest
_REACH = 0.8  # between thumbnails of mean 0 and length 1: farther apart are no candidates
_FINE = 0.3  # the correlation of detail that two of the same have at least, as COARSE of the whole
_WHOLE, _DETAIL = 0.98, 0.5  # what is the same where there is too little to compare it with
_WHOLE_MOST = 0.998  # what a copy has that was saved at half the size, or as JPEG of quality 60
_ENOUGH = 30  # pairs of different images
_NORMAL_90 = 1.2816  # the normal distribution's quantile
_BLOCK = 1000  # images whose neighbors are looked for at once

# Quarter turns, and the same after mirroring.
ORIENTATIONS = (
    "", "turned by 90 degrees", "turned by 180 degrees", "turned by 270 degrees",
    "mirrored", "mirrored, turned by 90 degrees", "mirrored, turned by 180 degrees",
    "mirrored, turned by 270 degrees",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two rows, ``first`` < ``second``, that show the same.

    ``similarity`` is the correlation of their pixels where they overlap, 1 for the same pixels;
    ``orientation`` is what has to be done to the first one.
    """

    first: int
    second: int
    similarity: float
    orientation: str = ""


def near_duplicates(images: Stack, rows: np.ndarray, groups: np.ndarray) -> list[Pair]:
    """The pairs among the ``rows``, int (m,), ascending; each is compared with its nearest.

    Images of one of the ``groups``, str (n,), stay together anyway and are not compared, and
    neither are images of one color, in which there is nothing to compare.
    """
    best: dict[tuple[int, int], tuple[Likeness, int]] = {}
    for first, second, orientation in sorted(set(_candidates(images, rows, groups))):
        found = compare(turned(images[first], orientation), images[second])
        if (first, second) not in best or found.whole > best[first, second][0].whole:
            best[first, second] = found, orientation
    same = _levels([(*rows, found) for rows, (found, _) in best.items()])
    return [
        Pair(
            first=first,
            second=second,
            similarity=min(1.0, found.whole),
            orientation=ORIENTATIONS[orientation],
        )
        for (first, second), (found, orientation) in best.items()
        if same(found)
    ]


def _levels(compared: Sequence[tuple[int, int, Likeness]]) -> Callable[[Likeness], bool]:
    """Which pairs show the same: more alike than different images of this set ever are.

    Fisher's z of what is not the best partner of either image says how alike different images are;
    five standard deviations (from quantiles, which a few copies do not move) above is beyond them.
    """
    nearest: dict[int, float] = {}
    for first, second, found in compared:
        for row in (first, second):
            nearest[row] = max(nearest.get(row, -1.0), found.whole)
    others = [
        found
        for first, second, found in compared
        if found.whole < min(nearest[first], nearest[second])
    ]
    if len(others) < _ENOUGH:
        whole, detail = _WHOLE, _DETAIL
    else:
        whole = _beyond([found.whole for found in others], least=COARSE, most=_WHOLE_MOST)
        detail = _beyond([found.detail for found in others], least=_FINE, most=1.0)

    def same(found: Likeness) -> bool:
        if found.whole < COARSE or found.detail < _FINE:
            return False
        return found.whole >= whole or (found.detail >= detail and found.detail < 1)

    return same


def _beyond(values: Sequence[float], *, least: float, most: float) -> float:
    z = np.arctanh(np.clip(values, -0.9999, 0.9999))
    middle, high = np.quantile(z, [0.5, 0.9])
    return float(np.clip(np.tanh(middle + 5 * (high - middle) / _NORMAL_90), least, most))


def turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """An image (H, W, C) in one of the ORIENTATIONS, by its number."""
    mirrored = image[:, ::-1] if orientation >= 4 else image
    return np.ascontiguousarray(np.rot90(mirrored, orientation % 4))


def _candidates(
    images: Stack, rows: np.ndarray, groups: np.ndarray
) -> Iterator[tuple[int, int, int]]:
    """Rows (first < second) and the orientation of the first in which thumbnails are alike."""
    if len(rows) < 2:
        return
    thumbnails = np.stack([_thumbnail(images[row]) for row in rows.tolist()])
    rows = rows[thumbnails.any(axis=(1, 2))]
    thumbnails = thumbnails[thumbnails.any(axis=(1, 2))]
    if len(rows) < 2:
        return
    from sklearn.neighbors import NearestNeighbors

    # The nearest may all be frames of the same patient.
    alone = len(np.unique(groups[rows])) == len(rows)
    count = min((_NEIGHBORS if alone else _MANY) + 1, len(rows))  # an image is its own neighbor
    search = NearestNeighbors(n_neighbors=count, algorithm="brute")
    search.fit(thumbnails.reshape(len(rows), -1))
    square = images[0].shape[0] == images[0].shape[1]
    orientations = list(range(8)) if square else [0, 2, 4, 6]
    for start in range(0, len(rows), _BLOCK):
        some = thumbnails[start : start + _BLOCK]
        asked = [
            search.kneighbors(
                np.stack([turned(one, number) for one in some]).reshape(len(some), -1)
            )
            for number in orientations
        ]
        distances, places = (np.concatenate(part, axis=1) for part in zip(*asked, strict=True))
        for one, (far, near) in enumerate(zip(distances, rows[places], strict=True), start):
            first = int(rows[one])
            usable = np.flatnonzero((far < _REACH) & (groups[near] != groups[first]))
            for k in usable[np.argsort(far[usable], kind="stable")[:_CANDIDATES]].tolist():
                second, number = int(near[k]), orientations[k // count]
                if first < second:
                    yield first, second, number
                else:  # the other is turned, in the orientation that undoes this one
                    yield second, first, _INVERSE[number]


_INVERSE = (0, 3, 2, 1, 4, 5, 6, 7)  # a mirrored image, turned or not, is its own


def _thumbnail(image: np.ndarray) -> np.ndarray:
    """Gray, float32 (12, 12), of mean 0 and length 1; zeros for an image of one color."""
    gray = image.mean(axis=2, dtype=np.float32)
    small = cv2.resize(gray, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    small -= small.mean()
    length = float(np.linalg.norm(small))
    return small / length if length > THUMBNAIL else np.zeros_like(small)  # a gray level on average
