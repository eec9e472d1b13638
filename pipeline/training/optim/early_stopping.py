"""When to stop and which epoch to keep: pure functions of the epochs' qualities so far."""

from collections.abc import Sequence

import numpy as np


def best_epoch(quality: Sequence[float]) -> int:
    """The number (from 0) of the first epoch with the highest quality."""
    return int(np.argmax(quality))


def epochs_without_gain(quality: Sequence[float], min_delta: float) -> int:
    """How many epochs ago the quality last rose more than ``min_delta`` above the last that did.

    A gain is measured from the last one that counted, as in Keras and Lightning: epochs that each
    gain less than ``min_delta`` add up.
    """
    best, waited = -np.inf, 0
    for value in quality:
        if value > best + min_delta:
            best, waited = value, 0
        else:
            waited += 1
    return waited
