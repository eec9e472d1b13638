"""How well scores rank one class above the others: ROC-AUC, average precision, curves.

Rows are grouped into *levels*, the places where a threshold makes a difference. All functions take
the numbers of positives and negatives at each level, highest score first, so that a resample (which
only changes those numbers) needs no new sort.
"""

from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.metrics.confusion import ratio


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Rows in levels of equal rank.

    ``level`` is int64 (n,), 0 for the highest score; ``positive`` is bool (n,). Rows of equal score
    share a level. So do neighbouring scores that only negatives have: no threshold between them
    changes the average precision or the ROC-AUC, and a rare class then has few levels. ``lowest``
    is float (num_levels,), the lowest score of each: the threshold that takes in it and all above.
    """

    level: np.ndarray
    positive: np.ndarray
    lowest: np.ndarray

    @property
    def num_levels(self) -> int:
        return len(self.lowest)

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Positives and negatives at each level, int64 (num_levels,) each."""
        positives = np.bincount(self.level[self.positive], minlength=self.num_levels)
        negatives = np.bincount(self.level[~self.positive], minlength=self.num_levels)
        return positives, negatives

    def binned(self, most: int) -> "Ranking":
        """The ranking in at most ``most`` levels, each with a like share of both kinds."""
        if self.num_levels <= most:
            return self
        positives, negatives = (np.cumsum(counts) for counts in self.counts())
        mass = positives / max(positives[-1], 1) + negatives / max(negatives[-1], 1)
        bins = np.minimum((mass - mass[0]) / (mass[-1] - mass[0]) * most, most - 1).astype(np.int64)
        _, number = np.unique(bins, return_inverse=True)
        lowest = self.lowest[np.flatnonzero(np.diff(number, append=number[-1] + 1))]
        return Ranking(level=number[self.level], positive=self.positive, lowest=lowest)


def rank(scores: np.ndarray, positive: np.ndarray) -> Ranking:
    """Sort ``scores`` (n,) once; ``positive`` is bool (n,)."""
    order = np.argsort(-scores)  # the order among ties does not matter: they share a level
    ordered = scores[order]
    group = np.cumsum(np.diff(ordered, prepend=np.inf) != 0) - 1
    num_groups = int(group[-1]) + 1 if len(group) else 0
    has_positive = np.bincount(group, weights=positive[order], minlength=num_groups) > 0
    starts = has_positive.copy()
    starts[1:] |= has_positive[:-1]
    starts[:1] = True
    sorted_level = (np.cumsum(starts) - 1)[group]
    level = np.empty(len(scores), np.int64)
    level[order] = sorted_level
    last = np.flatnonzero(np.diff(sorted_level, append=sorted_level[-1:] + 1))
    return Ranking(level=level, positive=positive, lowest=ordered[last])


def average_precision(
    positives: np.ndarray, negatives: np.ndarray, *, prevalence: float | None = None
) -> np.ndarray:
    """Average precision, the sum over thresholds of (recall gained) x precision.

    ``positives`` and ``negatives`` are counts (..., levels). With ``prevalence`` the precision is
    that at another share of positives, by weighting the negatives. NaN without positives, and with
    ``prevalence`` also without negatives.
    """
    true = np.cumsum(positives, axis=-1)
    false = np.cumsum(negatives, axis=-1)
    total = true[..., -1:].astype(float)
    if prevalence is not None:
        odds = (1 - prevalence) / prevalence
        with np.errstate(divide="ignore", invalid="ignore"):
            false = false * (odds * total / false[..., -1:])
    # Where nothing is found yet nothing is gained: the divisor does not matter, but for a 0.
    gains = positives * true / np.where(true > 0, true + false, 1)
    return ratio(gains.sum(axis=-1), total[..., 0])


def roc_auc(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """The share of (positive, negative) pairs ranked rightly, ties half; NaN without pairs."""
    false = np.cumsum(negatives, axis=-1)
    total = false[..., -1:]
    below = total - false + negatives / 2
    pairs = positives.sum(axis=-1) * total[..., 0].astype(float)
    return ratio((positives * below).sum(axis=-1), pairs)


def hanley_mcneil_variance(auc: float, *, positives: float, negatives: float) -> float:
    """The variance of a ROC-AUC if scores were exponential, from its value and the two counts.

    Hanley and McNeil (1982), https://doi.org/10.1148/radiology.143.1.7063747.
    """
    one_negative, one_positive = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    pairs = positives * negatives
    return (
        auc * (1 - auc)
        + (positives - 1) * (one_negative - auc**2)
        + (negatives - 1) * (one_positive - auc**2)
    ) / pairs


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Operating points from the strictest threshold to the laxest, float (points,) each.

    What is undefined (recall without positives) is NaN.
    """

    threshold: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    false_positive_rate: np.ndarray


def curve(ranking: Ranking, *, max_points: int = 1000) -> Curve:
    """The precision-recall and ROC curves of a ranking."""
    true, false = (np.cumsum(counts) for counts in ranking.counts())
    points = min(max_points, ranking.num_levels)
    kept = np.linspace(0, ranking.num_levels - 1, points).round().astype(int)
    return Curve(
        threshold=ranking.lowest[kept],
        recall=ratio(true, true[-1:])[kept],
        precision=(true / (true + false))[kept],
        false_positive_rate=ratio(false, false[-1:])[kept],
    )


def precision_at(recall: np.ndarray, rate: np.ndarray, prevalence: float) -> np.ndarray:
    """The precision (n,) where ``recall`` and false-positive ``rate`` (n,) are had at a prevalence.

    NaN where nothing is predicted positive.
    """
    found, false = recall * prevalence, rate * (1 - prevalence)
    positive = found + false
    out = np.full(np.shape(positive), np.nan)
    precision: np.ndarray = np.divide(found, positive, out=out, where=positive > 0)
    return precision
