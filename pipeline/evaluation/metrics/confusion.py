"""Metrics of decisions, from confusion counts.

Counts have the shape (..., K, K): rows are the actual classes, columns the predicted ones; leading
axes are resamples. Every metric here needs their :class:`Margins` alone, which stand for them where
K x K counts of thousands of resamples would be too many. What is undefined is NaN here;
:func:`raresight.pipeline.evaluation.metrics.registry.undefined` says why in words. Definitions are
those of scikit-learn, which sets several undefined values to 0 or 1 instead. The ``..._parts`` of a
proportion are its successes and its trials, which its interval is made from.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Of each class the images that are rightly answered, that there are, and that were predicted.

    Each is (..., K), of counts or of fractions.
    """

    right: np.ndarray
    actual: np.ndarray
    predicted: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """All images, (...)."""
        return np.asarray(self.actual.sum(-1))


Counts = np.ndarray | Margins
Parts = tuple[np.ndarray, np.ndarray]


def margins(counts: Counts) -> Margins:
    """The margins of counts (..., K, K)."""
    if isinstance(counts, Margins):
        return counts
    return Margins(
        right=np.diagonal(counts, axis1=-2, axis2=-1),
        actual=counts.sum(-1),
        predicted=counts.sum(-2),
    )


def confusion(actual: np.ndarray, predicted: np.ndarray, *, num_classes: int) -> np.ndarray:
    """Counts (K, K) of class indices ``actual`` and ``predicted``, int (n,) each."""
    cells = np.bincount(actual * num_classes + predicted, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)


def one_against_rest(counts: Counts, positive: int) -> np.ndarray:
    """Counts (..., 2, 2) of the class ``positive`` (index 1) against all others (index 0)."""
    of = margins(counts)
    tp = of.right[..., positive]
    fn = of.actual[..., positive] - tp
    fp = of.predicted[..., positive] - tp
    tn = of.total - tp - fn - fp
    return np.stack([np.stack([tn, fp], -1), np.stack([fn, tp], -1)], -2)


def accuracy_parts(counts: Counts) -> Parts:
    """Right answers, and all, (...) each."""
    of = margins(counts)
    return of.right.sum(-1), of.total


def recall_parts(counts: Counts) -> Parts:
    """TP, and the images of each class, (..., K) each."""
    of = margins(counts)
    return of.right, of.actual


def precision_parts(counts: Counts) -> Parts:
    """TP, and what was predicted to be each class, (..., K) each."""
    of = margins(counts)
    return of.right, of.predicted


def specificity_parts(counts: Counts) -> Parts:
    """TN of each class against the rest, and the images of other classes, (..., K) each."""
    of = margins(counts)
    if of.actual.shape[-1] == 2:  # the other's recall, exact for fractions of images as well
        return of.right[..., ::-1], of.actual[..., ::-1]
    others = of.total[..., None] - of.actual
    false_positives = of.predicted - of.right
    return others - false_positives, others


def npv_parts(counts: Counts) -> Parts:
    """TN of each class against the rest, and what was not predicted to be it, (..., K) each."""
    of = margins(counts)
    if of.actual.shape[-1] == 2:
        return of.right[..., ::-1], of.predicted[..., ::-1]
    predicted_others = of.total[..., None] - of.predicted
    false_negatives = of.actual - of.right
    return predicted_others - false_negatives, predicted_others


def recall(counts: Counts) -> np.ndarray:
    """The share found of each class, (..., K); NaN for a class without images."""
    return ratio(*recall_parts(counts))


def f1(counts: Counts) -> np.ndarray:
    """The harmonic mean of precision and recall, (..., K); NaN for a class without images."""
    of = margins(counts)
    score = ratio(2 * of.right, of.actual + of.predicted)
    return np.where(of.actual > 0, score, np.nan)


def balanced_accuracy(counts: Counts) -> np.ndarray:
    """The mean recall over the classes, (...); NaN when one has no images."""
    return np.asarray(recall(counts).mean(-1))


def macro(values: np.ndarray) -> np.ndarray:
    """The plain mean over the classes of ``values`` (..., K); NaN when one is undefined."""
    return np.asarray(values.mean(-1))


def weighted(values: np.ndarray, support: np.ndarray) -> np.ndarray:
    """The mean of ``values`` (..., K) weighted by ``support`` (..., K), the images of each class.

    NaN when it is undefined for a class that has images.
    """
    products = np.where(support > 0, values, 0) * support
    return ratio(products.sum(-1), support.sum(-1))


def in_top_k(targets: np.ndarray, scores: np.ndarray, *, k: int) -> np.ndarray:
    """Whether each of ``targets`` (n,) is among the ``k`` highest of its row of ``scores`` (n, K).

    Of equal scores the later class goes first, as in scikit-learn.
    """
    best = np.argsort(scores, axis=1, kind="stable")[:, ::-1][:, :k]
    return np.asarray((best == targets[:, None]).any(axis=1))


def mcc(counts: Counts) -> np.ndarray:
    """Matthews' correlation coefficient, (...), Gorodkin's R_K for more than two classes.

    https://doi.org/10.1016/j.compbiolchem.2004.09.006. NaN when only one class occurs or is
    predicted.
    """
    of = margins(counts)
    actual, predicted, total = (
        of.actual.astype(float),
        of.predicted.astype(float),
        of.total.astype(float),
    )
    covariance = of.right.sum(-1) * total - (actual * predicted).sum(-1)
    spread = (total**2 - (actual**2).sum(-1)) * (total**2 - (predicted**2).sum(-1))
    return ratio(covariance, np.sqrt(spread))


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The quotient, NaN where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    undefined = np.full(denominator.shape, np.nan)
    found: np.ndarray = np.divide(numerator, denominator, out=undefined, where=denominator != 0)
    return found
