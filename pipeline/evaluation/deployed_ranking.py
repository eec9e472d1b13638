"""The average precision where positives are rarer than in the test set, as far as negatives tell.

At a prevalence of 1 in 10,000 a false-alarm rate of 1 in 10,000 halves the precision, and 2,000
negatives cannot tell it from none. A resample of them knows no rate between 0 and 1 in 2,000: its
percentiles held the truth in 7 to 66 of 100 simulated sets. So the rate is bounded at every
threshold instead.
"""

import math

import numpy as np

from raresight.pipeline.evaluation.metrics.ranking import Ranking, average_precision
from raresight.pipeline.evaluation.uncertainty.bands import level_rates
from raresight.pipeline.evaluation.uncertainty.effective import too_few_groups
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.influence import (
    average_precision_influence,
    spread,
)
from raresight.pipeline.evaluation.uncertainty.resampling import BINS
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

# With three negatives for each of 1 / prevalence, none of them a false positive, the rate is
# bounded by the prevalence (the rule of three): the least that can tell a precision above one half.
_NEGATIVES_PER_RATE = 3
_DRAWN_AT_ONCE = 2**21


def negatives_to_know(prevalence: float) -> int:
    """How many independent negatives it takes to know a precision at ``prevalence``."""
    return math.ceil(_NEGATIVES_PER_RATE / prevalence - 1e-9)


def average_precision_at(
    ranking: Ranking,
    groups: np.ndarray | None,
    *,
    prevalence: float,
    settings: IntervalSettings,
    rng: np.random.Generator,
) -> Estimate:
    """The average precision of ``ranking`` at ``prevalence``; both kinds of images are present.

    ``groups``, int (n,), belong together (None: each row is alone). Where the negatives are too few
    to know it, or where no negative scores above a positive, there is no value, but its interval
    and a reason.
    """
    positives, negatives = ranking.counts()
    value = float(average_precision(positives, negatives, prevalence=prevalence))
    known = spread(average_precision_influence(positives, negatives), ranking, groups)
    if known is None and groups is not None:
        return Estimate(value=value, reason=too_few_groups(int(positives.sum())))
    coarse = ranking.binned(BINS)
    rates = level_rates(coarse, ~coarse.positive, groups, confidence=settings.confidence_level)
    if rates is None:
        return Estimate(value=value, reason=too_few_groups(int(negatives.sum())))
    worth = float(positives.sum()) if known is None else known.positives
    low, high = _ends(coarse, (rates.low, rates.high), worth, prevalence, settings, rng)
    # Bins move the value a little, and its interval with it.
    moved = value - float(average_precision(*coarse.counts(), prevalence=prevalence))
    low, high = min(max(0.0, low + moved), value), max(min(1.0, high + moved), value)
    independent = min(float(negatives.sum()), float(np.median(rates.worth)))
    reason = _unknown(ranking, independent, low, prevalence)
    return Estimate(value=None if reason else value, low=low, high=high, reason=reason)


def _unknown(ranking: Ranking, independent: float, low: float, prevalence: float) -> str | None:
    """Why there is no value, where there is none."""
    positives, negatives = ranking.counts()
    needed = negatives_to_know(prevalence)
    told = f"{negatives.sum():,}"
    if independent < negatives.sum() - 0.5:
        told += f", which belong to groups and tell as much as {independent:,.0f}"
    last = np.flatnonzero(positives)[-1]
    if not negatives[: last + 1].sum():
        return (
            f"at least {low:.3g}: no negative scores above a positive, and there are {told} "
            f"negatives; {needed:,} would tell more"
        )
    if independent < needed:
        return (
            f"it takes {needed:,} negatives to know it where 1 image in {1 / prevalence:,.0f} is "
            f"positive; there are {told}"
        )
    return None


def _ends(
    ranking: Ranking,
    rates: tuple[np.ndarray, np.ndarray],
    worth: float,
    prevalence: float,
    settings: IntervalSettings,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """The ends of the average precision between the ``rates`` (levels,) of false positives.

    The positives, ``worth`` so many independent ones, are weighted anew at random (Rubin's Bayesian
    bootstrap, https://doi.org/10.1214/aos/1176345338). For the upper end there is one more of them
    at the top, for the lower one more at the bottom: what was not seen can be.
    """
    positives = ranking.counts()[0]
    held = np.flatnonzero(positives)
    shapes = positives[held] * worth / positives.sum()
    tail, found = (1 - settings.confidence_level) / 2, []
    for rate, places, quantile in (
        (np.append(rates[1][held], 1.0), np.append(shapes, 1.0), tail),
        (np.append(0.0, rates[0][held]), np.append(1.0, shapes), 1 - tail),
    ):
        values = []
        for count in _chunks(settings.num_bootstrap, len(places)):
            weights = rng.standard_gamma(places, size=(count, len(places)))
            weights /= weights.sum(axis=1, keepdims=True)
            recall = np.cumsum(weights, axis=1) * prevalence
            alarms = rate * (1 - prevalence)
            precision = recall / np.maximum(recall + alarms, 1e-300)
            values.append((weights * precision).sum(axis=1))
        found.append(float(np.quantile(np.concatenate(values), quantile)))
    return found[0], found[1]


def _chunks(resamples: int, size: int) -> list[int]:
    most = max(1, _DRAWN_AT_ONCE // size)
    return [min(most, resamples - done) for done in range(0, resamples, most)]
