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
    and ``reason`` says why. ``spread`` is by how much the difference may move when both are trained
    again, which is in the interval too; None without replicates. ``settled_at`` is how many times
    as large the test set would have to be for a verdict; None where there is one already, nothing
    differs, or training again moves as much.
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


def difference(
    name: str,
    old: float,
    new: float,
    resampled: np.ndarray,
    *,
    confidence: float,
    spread: float | None = None,
) -> Difference:
    """The verdict on a metric, from its values and the ``resampled`` differences (R,).

    NaN is undefined; where more resamples are undefined than the interval leaves out there is no
    interval. With ``spread``, see :func:`training_spread`, the interval is widened by it (the
    half-widths add up in squares): the verdict is then about the two recipes, not about the two
    models that happened to come out.
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
    half = below if observed > 0 else above
    low = observed - math.hypot(below, spread or 0.0)
    high = observed + math.hypot(above, spread or 0.0)
    verdict = BETTER if low > 0 else WORSE if high < 0 else INCONCLUSIVE
    needed = None
    if verdict == INCONCLUSIVE:
        needed = settled_at(observed, half, confidence=confidence, spread=spread or 0.0)
    return Difference(
        name=name,
        old=old,
        new=new,
        difference=observed,
        low=float(low),
        high=float(high),
        verdict=verdict,
        spread=spread,
        settled_at=needed,
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


def settled_at(
    observed: float, half_width: float, *, confidence: float, spread: float = 0.0
) -> float | None:
    """How many times as many images would tell ``observed`` from 0 with a chance of 80 %.

    An interval shrinks with the root of the number of images. If the true difference is the one
    observed, the interval has to end z(80 %) standard errors before 0. The ``spread`` of trainings
    does not shrink: None where it reaches 0 alone, as it does where nothing differs.
    """
    if abs(observed) <= spread:
        return None
    normal = NormalDist()
    wanted = 1 + normal.inv_cdf(_POWER) / normal.inv_cdf((1 + confidence) / 2)
    return (half_width * wanted) ** 2 / (observed**2 - spread**2)


def training_spread(old: np.ndarray, new: np.ndarray, *, confidence: float) -> float:
    """How far training both versions again may move their difference, to either side.

    ``old`` (a,) and ``new`` (b,) are a metric of the replicates of each, two or more. The
    difference of one training each has the variance of both; t quantiles with Welch's degrees of
    freedom
    (1947, https://doi.org/10.1093/biomet/34.1-2.28), as the variances are known from few.
    """
    from scipy.stats import t

    variances = [values.var(ddof=1) for values in (old, new)]
    total = sum(variances)
    if total == 0:
        return 0.0
    parts = zip(variances, (old, new), strict=True)
    freedom = total**2 / sum(variance**2 / (len(values) - 1) for variance, values in parts)
    return float(t.ppf((1 + confidence) / 2, freedom) * math.sqrt(total))
