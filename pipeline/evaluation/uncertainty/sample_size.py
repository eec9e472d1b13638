"""How large a test set has to be before it can show something."""

import math
from collections.abc import Callable

from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS

_MOST = 2**53  # beyond it a float no longer counts images one by one


def positives_needed(recall: float, *, width: float, confidence: float) -> dict[str, int]:
    """The number of positives from which on the interval around ``recall`` is that narrow.

    By the method of the interval: ``wilson``, which covers as often as it says on average, and
    ``clopper_pearson``, which never covers less. The recall planned for is the nearest to
    ``recall`` that whole images can have, so a number just below may by luck be enough as well.
    """
    return {
        name: _trials_needed(interval, recall, width=width, confidence=confidence)
        for name, interval in PROPORTIONS.items()
    }


def _trials_needed(
    interval: Callable[..., tuple[float, float]], share: float, *, width: float, confidence: float
) -> int:
    def narrow(successes: float, trials: int) -> bool:
        low, high = interval(successes, trials, confidence=confidence)
        return high - low <= width

    # Successes in fractions are monotone; half a success off moves the answer by this at most.
    smooth = least(lambda trials: narrow(share * trials, trials))
    off = math.ceil(abs(1 - 2 * share) / (share * (1 - share)))
    trials = smooth + off + min(smooth, 100)
    while trials > 1 and narrow(math.floor(share * (trials - 1) + 0.5), trials - 1):
        trials -= 1
    return trials


def tolerable_alarm_rate(*, precision: float, recall: float, prevalence: float) -> float:
    """The share of negatives that may be called positive for ``precision`` at ``prevalence``.

    Solves P = s p / (s p + a (1 - p)) for a.
    """
    found = recall * prevalence
    return min(1.0, found * (1 - precision) / (precision * (1 - prevalence)))


def negatives_needed(rate: float, *, alarms: int, confidence: float) -> int:
    """The least number of negatives of which ``alarms`` false ones bound their share by ``rate``.

    The exact one-sided bound; without alarms it is the rule of three, ln(1 - confidence) / rate.
    """
    from scipy.special import betaincinv

    def bounded(trials: int) -> bool:
        return trials > alarms and betaincinv(alarms + 1, trials - alarms, confidence) <= rate

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
