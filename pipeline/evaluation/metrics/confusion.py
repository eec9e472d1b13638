"""Metrics of decisions, from confusion counts.

Counts have the shape (..., K, K): rows are the actual classes, columns the predicted ones; leading
axes are resamples. What is undefined is NaN here; :func:`reason` says why in words. Definitions are
those of scikit-learn, which sets several undefined values to 0 or 1 instead.
"""

import numpy as np

Counts = np.ndarray


def confusion(actual: np.ndarray, predicted: np.ndarray, *, num_classes: int) -> Counts:
    """Counts (K, K) of class indices ``actual`` and ``predicted``, int (n,) each."""
    cells = np.bincount(actual * num_classes + predicted, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)


def one_against_rest(counts: Counts, positive: int) -> Counts:
    """Counts (..., 2, 2) of the class ``positive`` (index 1) against all others (index 0)."""
    hit = counts[..., positive, positive]
    missed = counts[..., positive, :].sum(-1) - hit
    alarms = counts[..., :, positive].sum(-1) - hit
    rest = counts.sum((-1, -2)) - hit - missed - alarms
    return np.stack([np.stack([rest, alarms], -1), np.stack([missed, hit], -1)], -2)


def accuracy(counts: Counts) -> np.ndarray:
    """The share of right answers, (...)."""
    return ratio(_hits(counts).sum(-1), counts.sum((-1, -2)))


def recall(counts: Counts) -> np.ndarray:
    """The share found of each class, (..., K); NaN for a class without images."""
    return ratio(_hits(counts), counts.sum(-1))


def precision(counts: Counts) -> np.ndarray:
    """The share that is right of what was called each class, (..., K); NaN for one never called."""
    return ratio(_hits(counts), counts.sum(-2))


def specificity(counts: Counts) -> np.ndarray:
    """The share of other classes not called this one, (..., K); NaN where there are no others."""
    right, others = specificity_counts(counts)
    return ratio(right, others)


def specificity_counts(counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    """Images of other classes not called this one, and images of other classes, (..., K) each."""
    others = counts.sum((-1, -2))[..., None] - counts.sum(-1)
    alarms = counts.sum(-2) - _hits(counts)
    return others - alarms, others


def f1(counts: Counts) -> np.ndarray:
    """The harmonic mean of precision and recall, (..., K); NaN for a class without images."""
    actual = counts.sum(-1)
    score = ratio(2 * _hits(counts), actual + counts.sum(-2))
    return np.where(actual > 0, score, np.nan)


def balanced_accuracy(counts: Counts) -> np.ndarray:
    """The mean recall over the classes, (...); NaN when one has no images."""
    return recall(counts).mean(-1)


def macro(values: np.ndarray) -> np.ndarray:
    """The plain mean over the classes of ``values`` (..., K); NaN when one is undefined."""
    return values.mean(-1)


def weighted(values: np.ndarray, support: np.ndarray) -> np.ndarray:
    """The mean of ``values`` (..., K) weighted by ``support`` (..., K), the images of each class.

    NaN when it is undefined for a class that has images.
    """
    products = np.where(support > 0, values, 0) * support
    return ratio(products.sum(-1), support.sum(-1))


def top_k_hits(targets: np.ndarray, scores: np.ndarray, *, k: int) -> int:
    """How many of ``targets`` (n,) are among the ``k`` highest of their row of ``scores`` (n, K).

    Of equal scores the later class goes first, as in scikit-learn.
    """
    best = np.argsort(scores, axis=1, kind="stable")[:, ::-1][:, :k]
    return int((best == targets[:, None]).any(axis=1).sum())


def mcc(counts: Counts) -> np.ndarray:
    """Matthews' correlation coefficient, (...), Gorodkin's R_K for more than two classes.

    https://doi.org/10.1016/j.compbiolchem.2004.09.006. NaN when only one class occurs or is called.
    """
    counts = counts.astype(float)
    total = counts.sum((-1, -2))
    actual, called = counts.sum(-1), counts.sum(-2)
    covariance = _hits(counts).sum(-1) * total - (actual * called).sum(-1)
    spread = (total**2 - (actual**2).sum(-1)) * (total**2 - (called**2).sum(-1))
    return ratio(covariance, np.sqrt(spread))


def _hits(counts: Counts) -> np.ndarray:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The quotient, NaN where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    undefined = np.full(denominator.shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator != 0)
