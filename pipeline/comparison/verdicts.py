"""Better, worse or inconclusive: a difference, how far it may be off, and what would settle it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from raresight.pipeline.comparison.trainings import Parts, parts_of
from raresight.pipeline.evaluation.metrics.registry import METRICS

BETTER, WORSE, INCONCLUSIVE = "better", "worse", "inconclusive"
TRAINED_ONCE = "a version was trained once: the variance between seeds is unknown"
_POWER = 0.8
_MOST_TRAININGS = 1000


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One metric of two versions.

    ``old`` and ``new`` are means over the trainings of each, ``difference`` is new - old, with the
    interval ``low`` to ``high``; None where it is undefined, and ``reason`` says why. ``verdict``
    is about the recipes. ``models`` says instead what the interval tells of the two models, where
    one of the versions was trained once; else it is None. ``sample_size_factor`` is how many times
    as large the test set, and ``trainings`` how many trainings of each version, it would take for
    a verdict; None where there is one already, nothing differs, or it alone would never do.
    """

    name: str
    old: float | None
    new: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str
    models: str | None = None
    reason: str | None = None
    sample_size_factor: float | None = None
    trainings: int | None = None

    @property
    def ruling(self) -> str:
        """The verdict on the recipes or, where there can be none, on the two models."""
        return self.verdict if self.models is None else self.models


def of_models(
    name: str, old: float, new: float, resampled: np.ndarray, *, confidence: float
) -> Difference:
    """What two models differ in, from their values and the ``resampled`` differences (R,).

    The interval is the bootstrap's percentiles. NaN is undefined; where more resamples are
    undefined than the interval leaves out there is no interval.
    """
    if (undecided := _undefined(name, old, new, resampled, confidence)) is not None:
        return undecided
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    observed = new - old
    low, high = min(float(low), observed), max(float(high), observed)
    half = observed - low if observed > 0 else high - observed
    found = _judged(name, old, new, low, high)
    if found.verdict != INCONCLUSIVE:
        return found
    return replace(
        found, sample_size_factor=sample_size_factor(observed, half, confidence=confidence)
    )


def of_single_trainings(found: Difference) -> Difference:
    """What :func:`of_models` found, told of the models: of the recipes nothing is known."""
    reason = found.reason or TRAINED_ONCE
    return replace(found, verdict=INCONCLUSIVE, models=found.verdict, reason=reason)


def of_recipes(
    name: str,
    values: Sequence[np.ndarray],
    drawn: Sequence[np.ndarray],
    *,
    confidence: float,
    paired: bool = False,
) -> Difference:
    """What two recipes differ in, where both were trained several times.

    ``values`` are the metric of each training, (a,) of the old and (b,) of the new version, and
    ``drawn`` the same on each resample of the images, (R, a) and (R, b). ``paired`` trainings are
    the same models, decided otherwise. The interval is that of Student's t around the difference
    of the means, with the variance and the degrees of freedom of
    :func:`raresight.pipeline.comparison.trainings.parts_of`.
    """
    from scipy.stats import t

    old, new = (float(one.mean()) for one in values)
    resampled = drawn[1].mean(axis=1) - drawn[0].mean(axis=1)
    if (undecided := _undefined(name, old, new, resampled, confidence)) is not None:
        return undecided
    known = ~np.isnan(resampled)
    parts = parts_of(values, [one[known] for one in drawn], paired=paired)
    observed, quantile = new - old, float(t.ppf((1 + confidence) / 2, parts.freedom))
    half = quantile * math.sqrt(parts.variance)
    found = _judged(name, old, new, observed - half, observed + half)
    if found.verdict != INCONCLUSIVE:
        return found
    ends = quantile * math.sqrt(parts.images), quantile * math.sqrt(parts.seeds)
    return replace(
        found,
        sample_size_factor=sample_size_factor(
            observed, ends[0], confidence=confidence, seeds=ends[1]
        ),
        trainings=trainings_needed(observed, parts, confidence=confidence),
    )


def _judged(name: str, old: float, new: float, low: float, high: float) -> Difference:
    return Difference(
        name=name,
        old=old,
        new=new,
        difference=new - old,
        low=low,
        high=high,
        verdict=_verdict(low, high, higher_is_better=METRICS[name].higher_is_better),
    )


def _verdict(low: float, high: float, *, higher_is_better: bool) -> str:
    if low <= 0 <= high:
        return INCONCLUSIVE
    return BETTER if (low > 0) == higher_is_better else WORSE


def _undefined(
    name: str, old: float, new: float, resampled: np.ndarray, confidence: float
) -> Difference | None:
    if math.isnan(old) or math.isnan(new):
        return _undecided(name, old, new, "it is undefined in one of the versions")
    if np.isnan(resampled).mean() > 1 - confidence:
        return _undecided(name, old, new, "it is undefined in too many resamples")
    return None


def _undecided(name: str, old: float, new: float, reason: str) -> Difference:
    difference = new - old
    return Difference(
        name=name,
        old=None if math.isnan(old) else old,
        new=None if math.isnan(new) else new,
        difference=None if math.isnan(difference) else difference,
        low=None,
        high=None,
        verdict=INCONCLUSIVE,
        reason=reason,
    )


def sample_size_factor(
    observed: float, half_width: float, *, confidence: float, seeds: float = 0.0
) -> float | None:
    """How many times as many images would tell ``observed`` from 0 with a chance of 80 %.

    ``half_width`` is the interval's as far as the images make it, which shrinks with the root of
    their number; ``seeds`` as far as the trainings do, which does not. If the true difference is
    the one observed, the interval has to end z(80 %) standard errors before 0. None where
    the trainings alone are too few for that, as they are where nothing differs.
    """
    wanted = _wanted(confidence)
    left = observed**2 - (wanted * seeds) ** 2
    return (half_width * wanted) ** 2 / left if left > 0 else None


def trainings_needed(observed: float, parts: Parts, *, confidence: float) -> int | None:
    """How many trainings of each version would, on the same test images; None beyond 1,000."""
    from scipy.stats import t

    numbers = np.arange(2, _MOST_TRAININGS + 1)
    variance, freedom = parts.with_trainings(numbers)
    half = t.ppf((1 + confidence) / 2, freedom) * np.sqrt(variance)
    enough = abs(observed) > _wanted(confidence) * half
    return int(numbers[enough.argmax()]) if enough.any() else None


def _wanted(confidence: float) -> float:
    normal = NormalDist()
    return 1 + normal.inv_cdf(_POWER) / normal.inv_cdf((1 + confidence) / 2)
