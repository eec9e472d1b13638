"""The thresholds among which the reader chooses, each with its true and false positives."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Stops:
    """Operating points from the strictest threshold to the laxest.

    ``thresholds`` are texts with as many digits as it takes to part the neighbouring scores;
    ``tp`` and ``fp`` count the positives and the negatives that each predicts positive.
    ``chosen`` is the position of the threshold that was chosen on validation.
    """

    thresholds: tuple[str, ...]
    tp: tuple[int, ...]
    fp: tuple[int, ...]
    positives: int
    negatives: int
    chosen: int


def operating_points(
    scores: np.ndarray, positive: np.ndarray, *, chosen: float, most: int = 400
) -> Stops:
    """The stops of a threshold slider over ``scores`` (n,) in [0, 1] and ``positive`` bool (n,).

    There is a stop for every score of a positive, and for false positives at roughly equal ratios,
    about ``most`` in all; each is exact. The first predicts nothing positive, the last everything,
    and ``chosen`` is always one of them.
    """
    distinct, index = np.unique(scores, return_inverse=True)
    distinct, size = distinct[::-1], len(distinct)
    tp = np.cumsum(np.bincount(index, weights=positive, minlength=size)[::-1]).astype(int)
    fp = np.cumsum(np.bincount(index, weights=~positive, minlength=size)[::-1]).astype(int)
    at_chosen = int((distinct >= chosen).sum()) - 1  # -1: nothing is positive
    levels = np.union1d(_kept(tp, fp, most), [at_chosen])
    levels = levels[levels >= 0]
    return Stops(
        thresholds=(
            f"above {distinct[0]:.4g}",
            *(_text(distinct, level, chosen if level == at_chosen else None) for level in levels),
        ),
        tp=(0, *tp[levels].tolist()),
        fp=(0, *fp[levels].tolist()),
        positives=int(positive.sum()),
        negatives=int((~positive).sum()),
        chosen=int((levels <= at_chosen).sum()),
    )


def _kept(tp: np.ndarray, fp: np.ndarray, most: int) -> np.ndarray:
    """Levels worth a stop: the last, those with another TP, and FP at equal ratios."""
    gains = np.flatnonzero(np.diff(tp, prepend=0))
    gains = gains[np.linspace(0, len(gains) - 1, min(len(gains), most // 2)).round().astype(int)]
    ratios = np.geomspace(1, max(int(fp[-1]), 1), most // 2)
    steps = np.minimum(np.searchsorted(fp, ratios), len(fp) - 1)
    return np.union1d(np.union1d(gains, steps), [len(fp) - 1])


def _text(distinct: np.ndarray, level: int, chosen: float | None) -> str:
    """A threshold just above the scores below ``distinct[level]``, in few digits."""
    high = float(distinct[level])
    if level + 1 == len(distinct):
        return "0" if chosen is None else f"{chosen:.4g}"
    low = float(distinct[level + 1])
    value = (low + high) / 2 if chosen is None else chosen
    texts = (f"{value:.{digits}g}" for digits in range(3, 18))
    return next((text for text in texts if low < float(text) <= high), repr(high))
