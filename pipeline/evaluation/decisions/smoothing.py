"""F1 as it would be on new images, where few positives say little of what lies between them.

The highest F1 on validation may lie anywhere between the scores of two positives. With few of them
their log odds are taken to be normal, and those of the negatives to be as they are, blurred a
little: in simulations with 2 to 15 positives that lost half of what the highest F1 lost.
"""

from dataclasses import dataclass

import numpy as np

_SURE = 1e-7  # scores nearer to 0 or 1 are as near as a float32 can tell
_USUAL = 3.0  # positives that the spread of the negatives counts as, beside those that are there
_REACH = 6.0  # bandwidths, beyond which a blurred negative has no weight
_MOST = 512  # thresholds, the highest ones: with few positives F1 is best far up


@dataclass(frozen=True, kw_only=True)
class Smoothing:
    """What of validation is expected above each candidate threshold.

    ``logits`` and ``positive`` are (n,), ``at`` (candidates,) the log odds of the thresholds,
    ``above``, float (n, candidates), how much of a negative is above each, and ``usual`` the
    standard deviation of the negatives.
    """

    logits: np.ndarray
    positive: np.ndarray
    at: np.ndarray
    above: np.ndarray
    usual: float

    def f1(self, weights: np.ndarray) -> np.ndarray:
        """The expected F1, (C, candidates), of rows that count ``weights`` (C, n) times each."""
        from scipy.special import ndtr

        own, logits = weights[:, self.positive], self.logits[self.positive]
        total = np.maximum(own.sum(-1, keepdims=True), 1e-9)  # none of them may have been drawn
        mean = own @ logits[:, None] / total
        squares = (own * (logits - mean) ** 2).sum(-1, keepdims=True)
        # Student's spread of a new one, with the negatives' as a prior.
        variance = (_USUAL * self.usual**2 + squares) / (_USUAL + total - 1) * (1 + 1 / total)
        found = total * ndtr((mean - self.at) / np.sqrt(variance))
        return np.asarray(2 * found / (total + found + weights @ self.above))


def smoothing(scores: np.ndarray, positive: np.ndarray, values: np.ndarray) -> Smoothing | None:
    """For ``scores`` (n,), ``positive`` (n,) and thresholds ``values``; None without two negatives
    that differ."""
    from scipy.special import ndtr

    logits = _log_odds(scores)
    negatives, at = logits[~positive], _log_odds(values)
    if len(negatives) < 2 or not (usual := float(negatives.std(ddof=1))):
        return None
    # Silverman's rule of thumb.
    quartiles = float(np.subtract(*np.percentile(negatives, [75, 25]))) / 1.34
    width = 1.06 * min(usual, quartiles or usual) * len(negatives) ** -0.2
    above = np.zeros((len(scores), len(at)))
    near = ~positive & (logits > at.min(initial=np.inf) - _REACH * width)
    above[near] = ndtr((logits[near, None] - at) / width)
    return Smoothing(logits=logits, positive=positive, at=at, above=above, usual=usual)


def highest(ends: np.ndarray) -> np.ndarray:
    """Those of the candidates that are looked at."""
    return ends[:_MOST]


def _log_odds(scores: np.ndarray) -> np.ndarray:
    kept = np.clip(scores, _SURE, 1 - _SURE)
    return np.asarray(np.log(kept) - np.log1p(-kept))
