"""What each row adds to a ROC-AUC or an average precision, and the variance that follows from it.

The influence of a row is the first-order change of the value when the row counts a little more. A
value of many rows varies like the sum of their influences, so their squares give its variance
without a resample, and sums over groups give it where rows are not independent (the infinitesimal
jackknife; Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 6).
"""

import math
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.metrics.ranking import Ranking
from raresight.pipeline.evaluation.uncertainty.effective import FEWEST_GROUPS, design_effect


@dataclass(frozen=True, kw_only=True)
class Influence:
    """``value``, and what a row at each level adds to it: float (levels,) for either kind.

    They sum to 0 over the positives and over the negatives.
    """

    value: float
    of_positives: np.ndarray
    of_negatives: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How a value varies.

    ``degrees_of_freedom`` says how well the ``variance`` is known (Satterthwaite's, of the squares
    it is a sum of): few where a few rows decide. ``positives`` and ``negatives`` are the numbers of
    independent rows that tell as much.
    """

    variance: float
    degrees_of_freedom: float
    positives: float
    negatives: float

    def quantile(self, confidence: float) -> float:
        """Student's, by which the standard deviation is multiplied."""
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees_of_freedom, (1 + confidence) / 2))


def average_precision_influence(positives: np.ndarray, negatives: np.ndarray) -> Influence:
    """Of counts (levels,), both kinds present.

    A positive adds its own precision and raises that of the positives below it; a negative lowers
    the precision of all positives at its level and below.
    """
    true, false = np.cumsum(positives), np.cumsum(negatives)
    called = np.maximum(true + false, 1)
    precision, total = true / called, true[-1]
    value = float((positives * precision).sum() / total)
    raised = _from_below(positives * false / called**2)
    lowered = _from_below(positives * true / called**2)
    return _centered(value, (precision + raised) / total, -lowered / total, positives, negatives)


def roc_auc_influence(positives: np.ndarray, negatives: np.ndarray) -> Influence:
    """Of counts (levels,), both kinds present: each row's share of rightly ranked pairs.

    DeLong, DeLong and Clarke-Pearson (1988), https://doi.org/10.2307/2531595.
    """
    true, false = positives.sum(), negatives.sum()
    below = (false - np.cumsum(negatives) + negatives / 2) / false
    above = (np.cumsum(positives) - positives / 2) / true
    value = float((positives * below).sum() / true)
    return _centered(value, below / true, above / false, positives, negatives)


def _from_below(values: np.ndarray) -> np.ndarray:
    """The sum of each level and all below it."""
    return np.asarray(np.cumsum(values[::-1])[::-1])


def _centered(
    value: float,
    of_positives: np.ndarray,
    of_negatives: np.ndarray,
    positives: np.ndarray,
    negatives: np.ndarray,
) -> Influence:
    return Influence(
        value=value,
        of_positives=of_positives - (positives * of_positives).sum() / positives.sum(),
        of_negatives=of_negatives - (negatives * of_negatives).sum() / max(negatives.sum(), 1),
    )


def spread(influence: Influence, ranking: Ranking, groups: np.ndarray | None) -> Spread | None:
    """The spread of a value where ``groups``, int (n,), belong together (None: each row is alone).

    None where either kind has fewer than two rows, or rows of one group alone.
    """
    if groups is not None:
        added = np.where(
            ranking.positive,
            influence.of_positives[ranking.level],
            influence.of_negatives[ranking.level],
        )
        return spread_of_rows(added, ranking.positive, groups)
    positives, negatives = ranking.counts()
    if min(positives.sum(), negatives.sum()) < 2:
        return None
    kinds = [
        _independent(influence.of_positives, positives),
        _independent(influence.of_negatives, negatives),
    ]
    return _joined(kinds, shared=0.0)


def spread_of_rows(
    added: np.ndarray, positive: np.ndarray, groups: np.ndarray | None
) -> Spread | None:
    """The same from what each row adds (n,), which sums to 0 over either kind of rows.

    There may be one kind of rows alone.
    """
    kinds: list[_Kind] = []
    sums: list[np.ndarray] = []
    for kind in (positive, ~positive):
        if not kind.any():
            kinds.append(_Kind(variance=0.0, of_variance=0.0, rows=0.0))
            sums.append(np.zeros(1))
            continue
        own = np.arange(np.count_nonzero(kind)) if groups is None else groups[kind]
        size = len(own) if groups is None else int(groups.max()) + 1
        sums.append(np.bincount(own, added[kind], minlength=size))
        sizes = np.bincount(own, minlength=size)
        inside = sizes > 0
        if np.count_nonzero(inside) < FEWEST_GROUPS:
            return None
        kinds.append(_grouped(sums[-1][inside], sizes[inside], float((added[kind] ** 2).sum())))
    # Groups that hold both kinds: their images may be easy, or hard, together.
    shared = 0.0 if groups is None else max(0.0, 2 * float((sums[0] * sums[1]).sum()))
    return _joined(kinds, shared=shared)


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """One kind of rows: its part of the variance, that part's own, and what its rows are worth."""

    variance: float
    of_variance: float
    rows: float


def _independent(added: np.ndarray, counts: np.ndarray) -> _Kind:
    rows = float(counts.sum())
    squares, fourths = float((counts * added**2).sum()), float((counts * added**4).sum())
    unbiased = rows / (rows - 1)
    return _Kind(
        variance=unbiased * squares,
        of_variance=unbiased**2 * max(0.0, fourths - squares**2 / rows),
        rows=rows,
    )


def _grouped(sums: np.ndarray, sizes: np.ndarray, independent: float) -> _Kind:
    rows, groups = float(sizes.sum()), len(sums)
    independent *= rows / (rows - 1)
    effect = design_effect(sums, sizes, variance=independent, speak=groups)
    squares = float((sums**2).sum())
    scale = effect * independent / squares if squares > 0 else 0.0  # by how much it was enlarged
    of_variance = max(0.0, float((sums**4).sum()) - squares**2 / groups)
    return _Kind(
        variance=effect * independent, of_variance=scale**2 * of_variance, rows=rows / effect
    )


def _joined(kinds: list[_Kind], *, shared: float) -> Spread:
    variance = sum(kind.variance for kind in kinds) + shared
    of_variance = sum(kind.of_variance for kind in kinds)
    # The variance of a sum of squares is that of its terms; 2 V^2 / var(V) counts independent ones.
    degrees = 2 * variance**2 / of_variance if of_variance > 0 else math.inf
    return Spread(
        variance=variance,
        degrees_of_freedom=min(max(degrees, 1.0), 1e9),
        positives=kinds[0].rows,
        negatives=kinds[1].rows,
    )
