"""How far a number may be off, in closed form: proportions, ROC-AUC, average precision.

Each method was chosen by its coverage at 10, 30 and 100 positives, which a test simulates.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist

import numpy as np

from raresight.pipeline.evaluation.metrics.ranking import hanley_mcneil_variance
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.influence import Spread, spread_of_rows

Interval = tuple[float, float]
# From how many positives (and, for a ROC-AUC, negatives) on the spread of a ranking's value is
# known well enough: below them simulated coverage falls under 93 %.
AVERAGE_PRECISION_ROWS, ROC_AUC_ROWS = 30, 100


def wilson(successes: float, trials: float, *, confidence: float) -> Interval | None:
    """Wilson's score interval of a proportion; None without trials.

    Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953. It stays inside [0, 1], has a
    width where every trial succeeded, and keeps its coverage at ten trials, where the bootstrap
    drops to two thirds.
    """
    return _wilson(successes, trials, confidence=confidence) if trials else None


def _wilson(successes: float, trials: float, *, confidence: float) -> Interval:
    share = np.array(successes / trials)
    low, high = wilson_bounds(share, np.array(float(trials)), confidence=confidence)
    return float(low), float(high)


def wilson_bounds(
    share: np.ndarray, trials: np.ndarray, *, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's ends (...) of many proportions at once: ``share`` (...) of ``trials`` (...) > 0."""
    z = _z(confidence)
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    half /= 1 + z * z / trials
    # At 0 and 1 the interval ends there exactly; the formula is off by a rounding error.
    low = np.where(share <= 0, 0.0, np.maximum(0.0, centre - half))
    return low, np.where(share >= 1, 1.0, np.minimum(1.0, centre + half))


def ratio_interval(first: tuple[float, Interval], second: tuple[float, Interval]) -> Interval:
    """The interval of ``first`` / ``second``, each a proportion with its interval, all > 0.

    The distances to the ends add up in squares on the logarithm (MOVER; Zou and Donner 2008,
    https://doi.org/10.1002/sim.3095), so it is not as wide as both at their worst.
    """
    (top, (top_low, top_high)), (bottom, (bottom_low, bottom_high)) = first, second
    ratio = math.log(top / bottom)
    below = math.hypot(math.log(top / top_low), math.log(bottom_high / bottom))
    above = math.hypot(math.log(top_high / top), math.log(bottom / bottom_low))
    return math.exp(ratio - below), math.exp(ratio + above)


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
    parts: Sequence[tuple[float, float]], *, confidence: float, method: str = "wilson"
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


def mean_of_many(
    parts: Sequence[tuple[float, float]], *, confidence: float, method: str = "wilson"
) -> Interval | None:
    """The mean of more than two independent proportions; None when one has no trials.

    Their own intervals, added up, cover 84 to 92 % where classes are many and small. So the mean is
    taken for a proportion of as many trials as would give its variance; each proportion's, of which
    few trials tell, is that of two trials more at the mean.
    """
    if any(not trials for _, trials in parts):
        return None
    successes, trials = np.array(parts, float).T
    mean, size = float((successes / trials).mean()), len(parts)
    smooth = (successes + 2 * mean) / (trials + 2)
    variance = float((smooth * (1 - smooth) / trials).sum()) / size**2
    most = size**2 / float((1 / trials).sum())
    number = min(most, mean * (1 - mean) / variance) if variance > 0 else most
    return PROPORTIONS[method](mean * number, number, confidence=confidence)


def interval_of_variance(
    value: float, variance: float, *, most: float, lowest: float = 0.0, confidence: float
) -> Interval:
    """Wilson's form for a ``value`` in [``lowest``, 1] that has the ``variance``.

    With as many trials as would give a proportion that variance, and ``most`` at most, which is
    what a perfect value rests on.
    """
    span = 1 - lowest
    share = (value - lowest) / span
    trials = most
    if variance > 0 and 0 < share < 1:
        trials = min(most * span, share * (1 - share) * span**2 / variance)
    low, high = _wilson(share * trials, trials, confidence=confidence)
    return lowest + span * low, lowest + span * high


def auc_interval(auc: float, found: Spread, *, confidence: float) -> Interval:
    """The interval of a ROC-AUC with DeLong's variance (``found``).

    From ROC_AUC_ROWS positives and negatives on the logit interval. Fewer may by luck score alike,
    which makes DeLong's variance far too small (10 positives at an AUC of 0.98: 66 % coverage), and
    cannot show how long the tails are; it is then never taken below Hanley and McNeil's. Wilson's
    form, with as many trials as would give that variance, has a width at 1.
    """
    rows, product = (found.positives, found.negatives), auc * (1 - auc)
    if not product:
        return _wilson(auc * min(rows), min(rows), confidence=confidence)
    quantile = found.quantile(confidence)
    if min(rows) >= ROC_AUC_ROWS:
        return _logit(auc, quantile * math.sqrt(found.variance))
    floor = hanley_mcneil_variance(auc, positives=rows[0], negatives=rows[1])
    trials = product / max(found.variance * (quantile / _z(confidence)) ** 2, floor)
    return _wilson(auc * trials, trials, confidence=confidence)


def average_precision_interval(
    value: float, found: Spread | None, *, positives: float, confidence: float
) -> Interval:
    """The logit interval of an average precision.

    From AVERAGE_PRECISION_ROWS positives on by its variance (``found``), with as many degrees of
    freedom as decide it: up to five times narrower. Fewer do not know it, and the number of
    positives alone says how sure it is (Boyd, Eng and Page 2013,
    https://doi.org/10.1007/978-3-642-40994-3_55); that of independent ones where ``found`` has it.
    At 1, where the logit ends, Wilson's.
    """
    if found is not None:
        positives = found.positives
    if value >= 1:
        return _wilson(positives, positives, confidence=confidence)
    if found is not None and positives >= AVERAGE_PRECISION_ROWS:
        return _logit(value, found.quantile(confidence) * math.sqrt(found.variance))
    half = _z(confidence) * math.sqrt(value * (1 - value) / positives)
    return _logit(value, half)


def _logit(value: float, half: float) -> Interval:
    """``value`` in (0, 1) with the half width ``half``, carried over to the logit."""
    logit, half = math.log(value / (1 - value)), half / (value * (1 - value))
    return _expit(logit - half), _expit(logit + half)


def mean_interval(
    values: np.ndarray, kinds: np.ndarray, groups: np.ndarray | None, *, confidence: float
) -> Interval | str:
    """The interval of the mean of ``values`` (n,) in [0, 1], or the reason why there is none.

    Rows are sampled within two ``kinds``, bool (n,), and ``groups``, int (n,), belong together
    (None: each row is alone). It has Wilson's form, with as many trials as would give the mean's
    variance, by as many degrees of freedom as decide it: inside [0, 1], and wide where a few large
    values do.
    """
    mean, added = float(values.mean()), np.empty(len(values))
    for kind in (kinds, ~kinds):
        if kind.any():
            added[kind] = (values[kind] - values[kind].mean()) / len(values)
    found = spread_of_rows(added, kinds, groups)
    if found is None:
        return "no interval: one image, or one group of images, of a kind tells no spread"
    product, variance = mean * (1 - mean), found.variance
    if product <= 0 or variance <= 0:
        trials = float(len(values)) if groups is None else found.positives + found.negatives
    else:
        trials = product / (variance * (found.quantile(confidence) / _z(confidence)) ** 2)
    return _wilson(mean * trials, trials, confidence=confidence)


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
