"""When to stop and which epoch to keep: pure functions of the epochs' qualities so far."""

from collections.abc import Sequence

import numpy as np


def best_epoch(quality: Sequence[float]) -> int:
    """The number (from 0) of the first epoch with the highest quality."""
    return int(np.argmax(quality))


def epochs_without_gain(quality: Sequence[float], min_delta: float) -> int:
    """How many epochs ago the best so far was last beaten by more than ``min_delta``."""
    best, waited = -np.inf, 0
    for value in quality:
        waited = 0 if value > best + min_delta else waited + 1
        best = max(best, value)
    return waited
