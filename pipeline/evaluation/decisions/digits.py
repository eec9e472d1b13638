"""How many digits of a threshold mean something."""

import numpy as np


def shortest(threshold: float, scores: np.ndarray) -> str:
    """``threshold`` in the fewest digits, two at least, that part ``scores`` (n,) as it does.

    Scores of at least the threshold are on one side. Typed in again, the text decides the same
    about each of them.
    """
    above = scores >= threshold
    texts = (f"{threshold:.{digits}g}" for digits in range(2, 17))
    return next(
        (text for text in texts if np.array_equal(scores >= float(text), above)), repr(threshold)
    )
