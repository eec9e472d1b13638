"""Recall, precision and F1 with intervals that hold the choice of the threshold.

The intervals of the tables take the threshold for given. It was chosen by some images of
validation, and others would have chosen another one: two trainings that do the same may so differ
by more than these intervals allow.
"""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.confusion import ratio
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.outcomes import worth_of_classes
from raresight.pipeline.evaluation.uncertainty.resampling import smooth_confusion
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings


def with_threshold_choice(
    outcome: Predictions,
    given: Mapping[str, Estimate],
    thresholds: np.ndarray,
    *,
    settings: IntervalSettings,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """``recall``, ``precision`` and ``f1`` of the positive class, never surer than ``given``.

    ``thresholds`` (R,) are those that resamples of validation choose; at each, the answers of both
    kinds of images are drawn as for the interval of F1 (see :func:`smooth_confusion`). ``given``
    has the estimates at the threshold that was chosen.
    """
    index = outcome.task.positive_index
    assert index is not None  # else there is no threshold
    again = -(-settings.num_bootstrap // len(thresholds))
    counts = np.repeat(_counts(outcome, index, thresholds), again, axis=0)
    worth = worth_of_classes(outcome)
    total = outcome.confusion.sum(-1)
    rest = np.arange(len(total)) != index
    kinds = np.array([_share(worth[rest], total[rest]), _share(worth[[index]], total[[index]])])
    kinds *= np.array([total[rest].sum(), total[index]])
    drawn = smooth_confusion(counts, resamples=len(counts), rng=rng, effective=kinds)
    (_, false), (missed, found) = drawn.transpose(1, 2, 0)
    values = {
        "recall": ratio(found, found + missed),
        "precision": ratio(found, found + false),
        "f1": ratio(2 * found, 2 * found + false + missed),
    }
    tail = (1 - settings.confidence_level) / 2
    held = {}
    for name, value in values.items():
        known = given[name]
        if known.low is None or known.high is None:
            held[name] = known  # undefined, or of too few groups
            continue
        low, high = np.quantile(value, [tail, 1 - tail])
        held[name] = Estimate(
            value=known.value, low=min(float(low), known.low), high=max(float(high), known.high)
        )
    return held


def _counts(outcome: Predictions, index: int, thresholds: np.ndarray) -> np.ndarray:
    """The confusion of the rest and the positive class at each threshold, (R, 2, 2)."""
    scores, positive = outcome.scores[:, index], outcome.targets == index
    kinds = []
    for kind in (~positive, positive):
        below = np.searchsorted(np.sort(scores[kind]), thresholds)  # equal ones are positive
        kinds.append(np.stack([below, kind.sum() - below], axis=1))
    return np.stack(kinds, axis=1)


def _share(worth: np.ndarray, total: np.ndarray) -> float:
    """The part of so many images that independent ones would be."""
    return float(worth.sum() / max(total.sum(), 1))
