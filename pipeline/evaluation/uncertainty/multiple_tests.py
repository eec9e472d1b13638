"""Several tests at once: p-values that keep the chance of any false finding."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values, in the order given (1979, https://www.jstor.org/stable/4615733).

    Calling those below a level significant finds anything at all by chance alone with no more than
    that probability, however the tests depend on each other.
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    # The smallest has to hold against all of them, the next against one less, and so on.
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
