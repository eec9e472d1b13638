"""How good an epoch's validation scores are, for choosing among epochs."""

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve


def ranking(
    probabilities: np.ndarray,
    targets: np.ndarray,
    positive: int | None,
    weights: np.ndarray | None = None,
) -> tuple[float, float]:
    """Average precision and the best F1 over all thresholds, of validation scores.

    ``probabilities`` is (n, K), ``targets`` int (n,), ``weights`` (n,) for how many images each
    stands (None: itself), so that a part of a class shows what the whole would. With a
    ``positive`` class both are its own; without one they are means over the classes that occur.
    Accuracy is not asked: for a rare class it would choose the epoch that finds nothing.
    """
    classes = np.unique(targets) if positive is None else [positive]
    pairs = [_one_against_rest(probabilities[:, k], targets == k, weights) for k in classes]
    average_precision, f1 = np.mean(pairs, axis=0)
    return float(average_precision), float(f1)


def _one_against_rest(
    score: np.ndarray, truth: np.ndarray, weights: np.ndarray | None
) -> tuple[float, float]:
    precision, recall, _ = precision_recall_curve(truth, score, sample_weight=weights)
    best_f1 = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12))
    return average_precision_score(truth, score, sample_weight=weights), best_f1
