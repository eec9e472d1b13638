"""Is learning from one thing better than from another? Differences of average precision, with both
doubts: of the seeds that trained, and of the validation images that judge."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from raresight.pipeline.core import seeds as streams

_RESAMPLES, _ALPHA = 200, 0.05


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How much higher an arm's average precision is than the first one's: ``mean``, and the 95 %
    interval ``low`` to ``high``, in which all arms' gains lie together."""

    mean: float
    low: float
    high: float


def average_precisions(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The average precision, float (B,), of scores (n,) under each of the image weights (B, n).

    ``positive`` is bool (n,). Equal scores are one threshold, as in scikit-learn; 0 where no
    positive has a weight.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = -scores[order], weights[:, order] * positive[order]
    # The last of those with the same score: above it lies all that this threshold takes.
    last = np.searchsorted(ranked, ranked, side="right") - 1
    found, taken = np.cumsum(hits, axis=1), np.cumsum(weights[:, order], axis=1)
    precision = found[:, last] / np.maximum(taken[:, last], 1e-12)
    result: np.ndarray = (hits * precision).sum(axis=1) / np.maximum(found[:, -1], 1e-12)
    return result


def gains(scores: np.ndarray, positive: np.ndarray, groups: np.ndarray, *, seed: int) -> list[Gain]:
    """The gain of each arm but the first over the first one.

    ``scores`` is float (A, S, n): A arms with the same S > 1 seeds, judged on n images of which
    ``positive`` bool (n,) are, in ``groups`` (n,). The variance between seeds is what is left when
    each arm's and each seed's mean are taken away, as in a randomized block design; that of the
    images comes from a bootstrap of their groups. Half the interval is the root of the squares of
    both parts, that of the seeds by Student's t; at 0.05 over the number of gains (Bonferroni),
    since the best of several is chosen.
    """
    arms, trained, _ = scores.shape
    weights = np.concatenate((np.ones((1, len(positive))), _resampled(positive, groups, seed)))
    reached = np.array(
        [[average_precisions(one, positive, weights) for one in of_arm] for of_arm in scores]
    )  # (A, S, 1 + B)
    measured, redrawn = reached[..., 0], reached[..., 1:].mean(axis=1)
    rest = measured - measured.mean(1, keepdims=True) - measured.mean(0) + measured.mean()
    freedom = (arms - 1) * (trained - 1)
    of_seeds = 2 * (rest**2).sum() / freedom / trained
    tail = _ALPHA / 2 / (arms - 1)
    by_seeds = student.ppf(1 - tail, freedom) ** 2 * of_seeds
    found = []
    for arm in range(1, arms):
        mean = float((measured[arm] - measured[0]).mean())
        of_images = (redrawn[arm] - redrawn[0]).var(ddof=1)
        wide = float(np.sqrt(by_seeds + norm.ppf(1 - tail) ** 2 * of_images))
        found.append(Gain(mean=mean, low=mean - wide, high=mean + wide))
    return found


def _resampled(positive: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """How often each image is in each resample of the groups, (B, n); those with positives and
    those without are drawn apart, so that no resample is without."""
    names, place = np.unique(groups, return_inverse=True)
    rare = np.zeros(len(names), bool)
    rare[place[positive]] = True
    rng = streams.rng(seed, "validation groups", "")
    counts = np.zeros((_RESAMPLES, len(names)))
    for part in (np.flatnonzero(rare), np.flatnonzero(~rare)):
        if len(part):
            counts[:, part] = rng.multinomial(len(part), np.full(len(part), 1 / len(part)),
                                              _RESAMPLES)  # fmt: skip
    result: np.ndarray = counts[:, place]
    return result
