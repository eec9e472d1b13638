"""How large a test set has to be before it can show something."""

import math
from collections.abc import Callable

from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS

_MOST = 2**53  # beyond it a float no longer counts images one by one


def positives_needed(
    recall: float, *, width: float, confidence: float, method: str = "wilson"
) -> int:
    """The number of positives from which on the interval around ``recall`` is that narrow.

    ``method`` is one of PROPORTIONS: Wilson's covers as often as it says on average, that of
    Clopper and Pearson never covers less. The recall planned for is the nearest to ``recall`` that
    whole images can have, so a number just below may by luck be enough as well.
    """
    interval = PROPORTIONS[method]

    def narrow(successes: float, trials: int) -> bool:
        ends = interval(successes, trials, confidence=confidence)
        return ends is not None and ends[1] - ends[0] <= width

    # Successes in fractions are monotone; half a success off moves the answer by this at most.
    smooth = least(lambda trials: narrow(recall * trials, trials))
    if not 0 < recall < 1:
        return smooth
    off = math.ceil(abs(1 - 2 * recall) / (recall * (1 - recall)))
    trials = smooth + off + min(smooth, 100)
    while trials > 1 and narrow(math.floor(recall * (trials - 1) + 0.5), trials - 1):
        trials -= 1
    return trials


def recall_confidence(target: float, *, found: float, positives: float) -> float:
    """How surely a threshold with ``found`` of ``positives`` above it has a recall >= ``target``.

    The recall beyond the m-th highest of n positive scores follows Beta(m, n - m + 1), whatever the
    distribution of the scores (Wilks, https://doi.org/10.1214/aoms/1177731788); that it exceeds t
    has the probability that Binomial(n, t) is below m. At t = 0.9 this needs n >= 29 for 0.95.
    """
    from scipy.special import betainc

    if target >= 1 or found <= 0:
        return 0.0
    return 1 - float(betainc(found, positives - found + 1, target))


def positives_to_promise(target: float, *, confidence: float) -> int | None:
    """The least number of positives that can promise a recall of ``target``; None for 1.

    With n positives the lowest of their scores has a recall >= t with confidence 1 - t^n.
    """
    if target >= 1:
        return None
    return math.ceil(math.log1p(-confidence) / math.log(target) - 1e-9)


def tolerable_false_positive_rate(*, precision: float, recall: float, prevalence: float) -> float:
    """The share of negatives that may be predicted positive for ``precision`` at ``prevalence``.

    Solves P = s p / (s p + a (1 - p)) for a.
    """
    found = recall * prevalence
    return min(1.0, found * (1 - precision) / (precision * (1 - prevalence)))


def negatives_needed(rate: float, *, false_positives: int, confidence: float) -> int:
    """The least number of negatives of which ``false_positives`` bound their share by ``rate``.

    The exact one-sided bound; without any it is the rule of three, ln(1 - confidence) / rate.
    """
    from scipy.special import betaincinv

    def bounded(trials: int) -> bool:
        return (
            trials > false_positives
            and betaincinv(false_positives + 1, trials - false_positives, confidence) <= rate
        )

    return least(bounded)


def images_needed(positives: int, *, prevalence: float, confidence: float) -> tuple[int, int]:
    """Images drawn at random to find ``positives`` of them: on average, and with ``confidence``.

    The number of images up to the n-th positive is negative binomial.
    """
    from scipy.stats import nbinom

    average = math.ceil(positives / prevalence - 1e-9)
    return average, int(nbinom.ppf(confidence, positives, prevalence)) + positives


def least(enough: Callable[[int], bool]) -> int:
    """The least whole number from 1 up that is enough, where every larger one is too."""
    high = 1
    while not enough(high):
        if high >= _MOST:
            raise ValueError("no number of images is enough")
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
