"""Better, worse or inconclusive: a difference, how far it may be off, and what would settle it."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

BETTER, WORSE, INCONCLUSIVE = "better", "worse", "inconclusive"
_POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One metric of two versions.

    ``difference`` is new - old, with the interval ``low`` to ``high``; None where it is undefined,
    and ``reason`` says why. ``spread`` is what of the interval's half-width comes from training
    again, None without replicates. ``settled_at`` is how many times as large the test set would
    have to be for a verdict, None where there is one already or nothing differs.
    """

    name: str
    old: float | None
    new: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str
    reason: str | None = None
    spread: float | None = None
    settled_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A metric over the replicates of two versions: their means and the half-width of Welch's
    interval for the difference of the means."""

    old: float
    new: float
    half_width: float


def difference(
    name: str,
    old: float,
    new: float,
    resampled: np.ndarray,
    *,
    confidence: float,
    spread: Spread | None = None,
) -> Difference:
    """The verdict on a metric, from its values and the ``resampled`` differences (R,).

    NaN is undefined; where more resamples are undefined than the interval leaves out there is no
    interval. With ``spread`` the values are the means of the replicates, and the interval is that
    of the resamples widened by the spread of the replicates (the half-widths add up in squares):
    the verdict is then about the recipe, not about the two models that happened to come out.
    """
    if math.isnan(old) or math.isnan(new):
        return _undecided(name, old, new, "it is undefined in one of the versions")
    undefined = np.isnan(resampled)
    if undefined.mean() > 1 - confidence:
        return _undecided(name, old, new, "it is undefined in too many resamples")
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled[~undefined], [tail, 1 - tail])
    observed = new - old
    below, above = max(observed - low, 0.0), max(high - observed, 0.0)
    if spread is not None:
        old, new = spread.old, spread.new
        observed = new - old
        below, above = (math.hypot(half, spread.half_width) for half in (below, above))
    low, high = observed - below, observed + above
    verdict = BETTER if low > 0 else WORSE if high < 0 else INCONCLUSIVE
    half = below if observed > 0 else above
    return Difference(
        name=name,
        old=old,
        new=new,
        difference=observed,
        low=float(low),
        high=float(high),
        verdict=verdict,
        spread=None if spread is None else spread.half_width,
        settled_at=settled_at(observed, half, confidence=confidence)
        if verdict == INCONCLUSIVE
        else None,
    )


def _undecided(name: str, old: float, new: float, reason: str) -> Difference:
    old, new = (None if math.isnan(value) else value for value in (old, new))
    return Difference(
        name=name,
        old=old,
        new=new,
        difference=None if None in (old, new) else new - old,
        low=None,
        high=None,
        verdict=INCONCLUSIVE,
        reason=reason,
    )


def settled_at(observed: float, half_width: float, *, confidence: float) -> float | None:
    """How many times as many images would tell ``observed`` from 0 with a chance of 80 %.

    An interval shrinks with the root of the number of images. If the true difference is the one
    observed, the interval has to end z(80 %) standard errors before 0. None where nothing differs.
    """
    if observed == 0:
        return None
    normal = NormalDist()
    wanted = 1 + normal.inv_cdf(_POWER) / normal.inv_cdf((1 + confidence) / 2)
    return (half_width * wanted / abs(observed)) ** 2


def welch(old: np.ndarray, new: np.ndarray, *, confidence: float) -> Spread:
    """The spread of a metric over two sets of replicates, (a,) and (b,), at least two each.

    Welch (1947), https://doi.org/10.1093/biomet/34.1-2.28: t quantiles, unequal variances.
    """
    from scipy.stats import t

    errors = [values.var(ddof=1) / len(values) for values in (old, new)]
    total = sum(errors)
    if total == 0:
        return Spread(old=float(old.mean()), new=float(new.mean()), half_width=0.0)
    parts = zip(errors, (old, new), strict=True)
    freedom = total**2 / sum(error**2 / (len(values) - 1) for error, values in parts)
    half = float(t.ppf((1 + confidence) / 2, freedom) * math.sqrt(total))
    return Spread(old=float(old.mean()), new=float(new.mean()), half_width=half)
