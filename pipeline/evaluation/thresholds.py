"""Choosing the decision threshold, on validation scores and nothing else."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.core.errors import DataError
from pipeline.evaluation.params import ThresholdRule


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Scores of at least ``value`` are called positive.

    ``confidence`` is, for a recall target, the confidence with which the recall on new images is
    at least the target; None for max-F1.
    """

    value: float
    confidence: float | None = None


def choose(rule: ThresholdRule, scores: np.ndarray, positive: np.ndarray) -> Threshold:
    """The threshold that ``rule`` asks for, from ``scores`` (n,) in [0, 1] and ``positive`` (n,).

    Candidates lie half-way between neighbouring distinct scores, so equal scores are never parted;
    the lowest calls everything positive, which reaches any recall. Among candidates that serve the
    rule equally well the highest wins: it raises the fewest alarms.

    Raises DataError when no row is positive.
    """
    total = int(positive.sum())
    if not total:
        raise DataError(
            "validation has no image of the positive class, so no threshold can be chosen. "
            "Draw more of them (generate.sources) or give val a larger share (split.ratios.val)."
        )
    values, hits, alarms = _candidates(scores, positive)
    if rule.rule == "max_f1":
        return Threshold(value=float(values[np.argmax(2 * hits / (total + hits + alarms))]))
    first = int(np.argmax(hits >= rule.target * total - 1e-9))
    confidence = recall_confidence(rule.target, found=int(hits[first]), positives=total)
    return Threshold(value=float(values[first]), confidence=confidence)


def recall_confidence(target: float, *, found: int, positives: int) -> float:
    """How surely a threshold with ``found`` of ``positives`` above it has a recall >= ``target``.

    The recall beyond the m-th highest of n positive scores follows Beta(m, n - m + 1), whatever the
    distribution of the scores (Wilks, https://doi.org/10.1214/aoms/1177731788); that it exceeds t
    has the probability that Binomial(n, t) is below m. At t = 0.9 this needs n >= 29 for 0.95.
    """
    if target >= 1:
        return 0.0
    below = (
        math.exp(
            math.lgamma(positives + 1)
            - math.lgamma(k + 1)
            - math.lgamma(positives - k + 1)
            + k * math.log(target)
            + (positives - k) * math.log1p(-target)
        )
        for k in range(found)
    )
    return min(1.0, math.fsum(below))


def _candidates(
    scores: np.ndarray, positive: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds from high to low, and the positives and negatives at or above each."""
    distinct, index = np.unique(scores, return_inverse=True)
    lower = np.concatenate([[0.0], distinct[:-1]])
    middle = (lower + distinct) / 2
    # Half-way between two neighbouring floats rounds to one of them; the lower would let it in too.
    values = np.where(middle > lower, middle, distinct)
    hits = np.bincount(index, weights=positive, minlength=len(distinct))
    alarms = np.bincount(index, weights=~positive, minlength=len(distinct))
    return values[::-1], np.cumsum(hits[::-1]), np.cumsum(alarms[::-1])
