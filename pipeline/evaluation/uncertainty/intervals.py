"""How far a number may be off, in closed form: proportions, ROC-AUC, average precision.

Each method was chosen by its coverage at 10, 30 and 100 positives, which a test simulates.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist

import numpy as np

from raresight.pipeline.evaluation.metrics.ranking import hanley_mcneil_variance
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate

Interval = tuple[float, float]


def wilson(successes: float, trials: float, *, confidence: float) -> Interval | None:
    """Wilson's score interval of a proportion; None without trials.

    Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953. It stays inside [0, 1], has a
    width where every trial succeeded, and keeps its coverage at ten trials, where the bootstrap
    drops to two thirds.
    """
    return _wilson(successes, trials, confidence=confidence) if trials else None


def _wilson(successes: float, trials: float, *, confidence: float) -> Interval:
    z = _z(confidence)
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    half /= 1 + z * z / trials
    # At 0 and 1 the interval ends there exactly; the formula is off by a rounding error.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def clopper_pearson(successes: float, trials: float, *, confidence: float) -> Interval | None:
    """The exact interval of a proportion, never too narrow; None without trials.

    Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404. Wider than Wilson's.
    """
    from scipy.special import betaincinv

    if trials == 0:
        return None
    tail, failures = (1 - confidence) / 2, trials - successes
    low = betaincinv(successes, failures + 1, tail) if successes else 0.0
    high = betaincinv(successes + 1, failures, 1 - tail) if failures else 1.0
    return float(low), float(high)


PROPORTIONS: Mapping[str, Callable[..., Interval | None]] = {
    "wilson": wilson,
    "clopper_pearson": clopper_pearson,
}


def mean_of_proportions(
    parts: Sequence[tuple[int, int]], *, confidence: float, method: str = "wilson"
) -> Interval | None:
    """The mean of independent proportions, (successes, trials) each; None when one has no trials.

    The distances from each proportion to its own interval's ends add up in squares (Zou and Donner
    2008, https://doi.org/10.1002/sim.3095): it keeps their coverage where a class is small.
    """
    if any(not trials for _, trials in parts):
        return None
    shares = [successes / trials for successes, trials in parts]
    ends = [PROPORTIONS[method](*part, confidence=confidence) or (0.0, 1.0) for part in parts]
    mean, size = math.fsum(shares) / len(shares), len(shares)
    below = math.hypot(*(share - low for share, (low, _) in zip(shares, ends, strict=True)))
    above = math.hypot(*(high - share for share, (_, high) in zip(shares, ends, strict=True)))
    return max(0.0, mean - below / size), min(1.0, mean + above / size)


def auc_interval(
    auc: float, variance: float, *, positives: int, negatives: int, confidence: float
) -> Interval:
    """The interval of a ROC-AUC with DeLong's ``variance``, in Wilson's form.

    A few positives that happen to score alike make DeLong's variance far too small (10 positives
    at an AUC of 0.98: 66 % coverage), so it is never taken below Hanley and McNeil's. Wilson's
    form, with as many trials as would give that variance, stays inside [0, 1] and has a width at 1.
    """
    floor = hanley_mcneil_variance(auc, positives=positives, negatives=negatives)
    spread = auc * (1 - auc)
    trials = spread / max(variance, floor) if spread else min(positives, negatives)
    return _wilson(auc * trials, trials, confidence=confidence)


def average_precision_interval(value: float, *, positives: int, confidence: float) -> Interval:
    """The logit interval of an average precision, from the number of positives alone.

    Boyd, Eng and Page (2013), https://doi.org/10.1007/978-3-642-40994-3_55. At 1, where the logit
    ends, Wilson's.
    """
    if value >= 1:
        return _wilson(positives, positives, confidence=confidence)
    logit = math.log(value / (1 - value))
    half = _z(confidence) / math.sqrt(positives * value * (1 - value))
    return _expit(logit - half), _expit(logit + half)


def mean_interval(values: np.ndarray, strata: np.ndarray, *, confidence: float) -> Interval | None:
    """The normal interval of the mean of ``values`` (n,), sampled within ``strata``, int (n,).

    None where a stratum has one value, whose spread nobody knows.
    """
    sizes = np.bincount(strata)
    occupied = sizes > 0
    if (sizes == 1).any():
        return None
    sums = np.bincount(strata, values)[occupied]
    sizes = sizes[occupied]
    squares = np.bincount(strata, values**2)[occupied]
    spread = np.maximum(squares - sums**2 / sizes, 0) / (sizes - 1)
    half = _z(confidence) * math.sqrt((sizes * spread).sum()) / len(values)
    mean = float(values.mean())
    return mean - half, mean + half


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _expit(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0


def percentile_estimate(value: float, resampled: np.ndarray, *, confidence: float) -> Estimate:
    """``value`` with the middle ``confidence`` of its ``resampled`` values (R,) as interval.

    Undefined (NaN) resamples are left out as long as they are fewer than the interval itself leaves
    out. Resamples that all agree tell of a set too small or too easy, not of a certain number, and
    give no interval. The interval always holds ``value``, which resamples may lie beside.
    """
    tail = 1 - confidence
    undefined = np.isnan(resampled)
    if undefined.mean() > tail:
        return Estimate(value=value, reason="no interval: undefined in too many resamples")
    low, high = np.quantile(resampled[~undefined], [tail / 2, 1 - tail / 2])
    if low == high:
        return Estimate(value=value, reason="no interval: too few errors, all resamples agree")
    return Estimate(value=value, low=min(float(low), value), high=max(float(high), value))
