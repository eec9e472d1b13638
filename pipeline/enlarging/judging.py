"""What is said of made images, whoever made them: does their label show, are they copies, do they
cover what real ones do?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.pipeline.cleaning.statistics import statistics
from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.checks import neighbors, standardized, told_apart
from raresight.pipeline.enlarging.composites import contrast
from raresight.pipeline.enlarging.making import least_contrast
from raresight.pipeline.runtime.errors import DivergedError

_CHECKED = 500  # images of a kind that the checks look at
_SHOWN = 24
_COLLAPSED = 1.0  # the most that a pixel varies by, in gray levels, where all images are the same


@dataclass(frozen=True, kw_only=True)
class MadeImages:
    """Images of ``label`` that ``maker`` made: ``ids`` (m,), pixels uint8 (m, H, W, C), and their
    masks uint8 (H, W), None where it is not known which pixels carry the label."""

    label: str
    maker: str
    ids: Sequence[str]
    images: np.ndarray
    masks: Sequence[np.ndarray | None]


def refuse_collapsed(made: MadeImages) -> None:
    """DivergedError where all images are the same, as those of a generator that collapsed are."""
    images = made.images
    if len(images) < 2:
        return
    most = max(
        float(np.ptp(images[:, row].astype(int), axis=0).max()) for row in range(images.shape[1])
    )
    if most <= _COLLAPSED:
        raise DivergedError(
            f"all {len(images):,} images of '{made.label}' by {made.maker} are the same: what made "
            "them has collapsed. Nothing was written. Train it anew, or leave its images out."
        )


def check(
    made: MadeImages,
    data: Dataset,
    real: np.ndarray,
    held: np.ndarray,
    *,
    seams: tuple[np.ndarray, Sequence[np.ndarray]] | None,
    seed: int,
) -> dict[str, Any]:
    """What a careless generator would betray; each None where too few images can say.

    ``real`` and ``held`` are rows of ``data``: the real training originals of the label, and the
    validation originals of any. ``seams`` are untouched images, rows, and placebos.
    """
    refuse_collapsed(made)
    judged = held[data.labels[held] == made.label]
    found: dict[str, Any] = {
        "held_out": len(judged),
        "visible": _visible(made, data, real),
        "told_apart": None,
        "seam": None,
        "neighbors": None,
        "nearest": [],
    }
    if not len(made.images) or not len(real):
        return found
    draw = seeds.rng(seed, "checked", made.label)
    known = statistics(data.images[row] for row in real.tolist())
    some = np.sort(draw.permutation(len(made.images))[:_CHECKED])
    drawn = statistics(made.images[some])
    beside: np.ndarray = known[:0]
    if len(judged):
        beside = statistics(data.images[row] for row in judged[:_CHECKED].tolist())
    real_z, made_z, held_z = standardized(known, drawn, beside)
    near = neighbors(made_z, real_z, held_z)
    found["told_apart"] = told_apart(known[:_CHECKED], drawn, seed=seed)
    found["neighbors"] = None if near is None else vars(near)
    found["nearest"] = _nearest(np.asarray(made.ids)[some], made_z, data.ids[real], real_z, held_z)
    if seams is not None and len(seams[1]):
        plain = statistics(data.images[row] for row in seams[0][:_CHECKED].tolist())
        found["seam"] = told_apart(plain, statistics(seams[1]), seed=seed)
    return found


def _visible(made: MadeImages, data: Dataset, real: np.ndarray) -> float | None:
    """The share whose label shows as much as that of 95 % of the real ones; None without masks."""
    masks = data.masks
    if masks is None:
        return None
    masked = [row for row in real.tolist() if (mask := masks[row]) is not None and mask.any()]
    seen = [
        contrast(image, mask)
        for image, mask in zip(made.images, made.masks, strict=True)
        if mask is not None
    ]
    if not masked or not seen:
        return None
    return float((np.array(seen) >= least_contrast(data, np.array(masked))).mean())


def _nearest(
    ids: np.ndarray, made: np.ndarray, known_ids: np.ndarray, known: np.ndarray, held: np.ndarray
) -> list[dict[str, Any]]:
    """The made images that lie nearest to a training image, with that and how near: its distance in
    those that held-out images usually have (None where there are none)."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=1, n_jobs=1).fit(known)
    distance, place = (found[:, 0] for found in search.kneighbors(made))
    usual = float(np.median(search.kneighbors(held)[0])) if len(held) else None
    return [
        {
            "id": str(ids[one]),
            "training": str(known_ids[place[one]]),
            "times_usual": float(distance[one] / usual) if usual else None,
        }
        for one in np.argsort(distance, kind="stable")[:_SHOWN].tolist()
    ]
