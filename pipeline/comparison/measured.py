"""A metric of two versions: the difference, its interval, and how likely chance alone makes it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist

import numpy as np

from raresight.pipeline.comparison.trainings import Parts, parts_of

_POWER = 0.8
_MOST_TRAININGS = 1000


@dataclass(frozen=True, kw_only=True)
class Needed:
    """What it would take for a verdict: how many times as many images, or so many trainings.

    Either is None where it alone would never do.
    """

    sample_size_factor: float | None = None
    trainings: int | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One metric of two versions, before it is judged beside the others.

    ``old`` and ``new`` are means over the trainings of each, ``difference`` is new - old, with the
    interval ``low`` to ``high``, and ``p`` the two-sided probability of so large a difference, or a
    larger one, by chance alone; None where undefined, and ``reason`` says why. ``identical`` says
    that both gave the same answers, so that there is nothing to test. ``needed`` tells, for a
    confidence, what it would take for a verdict.
    """

    name: str
    old: float | None
    new: float | None
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    identical: bool = False
    reason: str | None = None
    needed: Callable[[float], Needed] = lambda _: Needed()

    @property
    def testable(self) -> bool:
        return self.p is not None and not self.identical

    @property
    def excludes_zero(self) -> bool:
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def identical(name: str, value: float) -> Measured:
    """A metric of answers that are the same in both versions."""
    if math.isnan(value):
        return _undefined(name, value, value, "it is undefined in both versions")
    return Measured(
        name=name, old=value, new=value, difference=0.0, low=0.0, high=0.0, identical=True
    )


def of_models(
    name: str, old: float, new: float, resampled: np.ndarray, *, confidence: float
) -> Measured:
    """What two models differ in, from their values and the ``resampled`` differences (R,).

    The interval is the bootstrap's percentiles, and the p-value belongs to it: with k of R
    resamples on the other side of 0 it is 2 (k + 1) / (R + 1) (Davison and Hinkley 1997, 4.2.5).
    NaN is undefined; where more resamples are undefined than the interval leaves out there is no
    interval.
    """
    if (undecided := _unknown(name, old, new, resampled, confidence)) is not None:
        return undecided
    drawn = np.sort(resampled[~np.isnan(resampled)])
    # The order statistics that exclude 0 exactly where p is below 1 - confidence.
    left_out = math.ceil((len(drawn) + 1) * (1 - confidence) / 2 - 1e-9) - 1
    place = max(left_out - 1, 0)
    observed = new - old
    low, high = min(float(drawn[place]), observed), max(float(drawn[-1 - place]), observed)
    beyond = min((drawn <= 0).sum(), (drawn >= 0).sum())
    half = observed - low if observed > 0 else high - observed
    error = half / _quantile(confidence)
    return Measured(
        name=name,
        old=old,
        new=new,
        difference=observed,
        low=low,
        high=high,
        p=min(1.0, 2 * (float(beyond) + 1) / (len(drawn) + 1)),
        needed=partial(_needed_of_models, observed, error),
    )


def of_recipes(
    name: str,
    values: Sequence[np.ndarray],
    drawn: Sequence[np.ndarray],
    *,
    confidence: float,
    paired: bool = False,
) -> Measured:
    """What two recipes differ in, where both were trained several times.

    ``values`` are the metric of each training, (a,) of the old and (b,) of the new version, and
    ``drawn`` the same on each resample of the images, (R, a) and (R, b). ``paired`` trainings are
    the same models, decided otherwise. Interval and p-value are those of Student's t around the
    difference of the means, with the variance and the degrees of freedom of
    :func:`raresight.pipeline.comparison.trainings.parts_of`.
    """
    from scipy.stats import t

    old, new = (float(one.mean()) for one in values)
    resampled = drawn[1].mean(axis=1) - drawn[0].mean(axis=1)
    if (undecided := _unknown(name, old, new, resampled, confidence)) is not None:
        return undecided
    known = ~np.isnan(resampled)
    parts = parts_of(values, [one[known] for one in drawn], paired=paired)
    observed, error = new - old, math.sqrt(parts.variance)
    half = float(t.ppf((1 + confidence) / 2, parts.freedom)) * error
    certain = float(observed == 0)  # nothing varies: any difference is a real one
    p = 2 * float(t.sf(abs(observed) / error, parts.freedom)) if error > 0 else certain
    return Measured(
        name=name,
        old=old,
        new=new,
        difference=observed,
        low=observed - half,
        high=observed + half,
        p=p,
        needed=partial(_needed_of_recipes, observed, parts),
    )


def _unknown(
    name: str, old: float, new: float, resampled: np.ndarray, confidence: float
) -> Measured | None:
    if math.isnan(old) or math.isnan(new):
        return _undefined(name, old, new, "it is undefined in one of the versions")
    if np.isnan(resampled).mean() > 1 - confidence:
        return _undefined(name, old, new, "it is undefined in too many resamples")
    return None


def _undefined(name: str, old: float, new: float, reason: str) -> Measured:
    known = [None if math.isnan(value) else value for value in (old, new, new - old)]
    return Measured(name=name, old=known[0], new=known[1], difference=known[2], reason=reason)


def _needed_of_models(observed: float, error: float, confidence: float) -> Needed:
    half = error * _quantile(confidence)
    return Needed(sample_size_factor=sample_size_factor(observed, half, confidence=confidence))


def _needed_of_recipes(observed: float, parts: Parts, confidence: float) -> Needed:
    from scipy.stats import t

    quantile = float(t.ppf((1 + confidence) / 2, parts.freedom))
    images, seeds = quantile * math.sqrt(parts.images), quantile * math.sqrt(parts.seeds)
    return Needed(
        sample_size_factor=sample_size_factor(observed, images, confidence=confidence, seeds=seeds),
        trainings=trainings_needed(observed, parts, confidence=confidence),
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
    return 1 + NormalDist().inv_cdf(_POWER) / _quantile(confidence)


def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
