"""The metrics that versions are compared by, under any weights of the rows.

The names are those of ``results.json``. What is undefined is NaN.
"""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.metrics.ranking import average_precision, rank, roc_auc
from raresight.pipeline.evaluation.metrics.registry import PRIMARY, shown
from raresight.pipeline.evaluation.metrics.table import by_decision

Values = Mapping[str, np.ndarray]


def names(task: Task) -> tuple[str, ...]:
    """The metrics of a task; the first is the one that a verdict on the whole rests on."""
    positive = task.positive is not None
    found = shown("compare", positive=positive)
    return (PRIMARY[positive], *(name for name in found if name != PRIMARY[positive]))


class Measure:
    """The metrics of one version's answers; everything that needs a sort is done once.

    ``thresholds`` is float (T,), one a resample, and takes the place of the one the outcome was
    decided at; without it, or without a positive class, the answers are the outcome's.
    """

    def __init__(self, outcome: Predictions, thresholds: np.ndarray | None = None):
        self.outcome = outcome
        self.task = outcome.task
        self.thresholds = None if self.task.positive is None else thresholds
        positive = self.task.positive_index
        chosen = range(len(self.task.classes)) if positive is None else [positive]
        self._rankings = [rank(outcome.scores[:, k], outcome.targets == k) for k in chosen]

    def values(self, weights: np.ndarray, resample: np.ndarray | None = None) -> Values:
        """Metrics by name, (C,) each, of row weights (C, n).

        ``resample`` is int (C,), which of the thresholds decides each; None for the outcome's own.
        """
        decided = by_decision(self._confusion(weights, resample), self.task)
        found = {name: decided["", name] for name in names(self.task) if ("", name) in decided}
        return found | self._by_ranking(weights)

    def _confusion(self, weights: np.ndarray, resample: np.ndarray | None) -> np.ndarray:
        size = len(self.task.classes)
        cells = self.outcome.targets * size + self._predicted(resample)
        return _tally(cells, weights, size * size).reshape(len(weights), size, size)

    def _predicted(self, resample: np.ndarray | None) -> np.ndarray:
        if resample is None or self.thresholds is None:
            return self.outcome.predicted
        scores, positive = self.outcome.scores, self.task.positive_index
        others = self.task.best_other(scores)
        called = scores[:, positive] >= self.thresholds[resample][:, None]
        return np.where(called, positive, others)

    def _by_ranking(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        quality = []
        for ranking in self._rankings:
            cells = ranking.level + ranking.num_levels * ranking.positive
            tally = _tally(cells, weights, 2 * ranking.num_levels).reshape(len(weights), 2, -1)
            quality.append((average_precision(tally[:, 1], tally[:, 0]), tally))
        if self.task.positive is None:
            return {"macro_average_precision": np.mean([ap for ap, _ in quality], axis=0)}
        ((precision, tally),) = quality
        return {"average_precision": precision, "roc_auc": roc_auc(tally[:, 1], tally[:, 0])}


def _tally(cells: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """The weight (C, size) that falls in each cell; ``cells`` is int (n,) or (C, n)."""
    count = len(weights)
    places = cells + np.arange(0, count * size, size)[:, None]
    return np.bincount(places.ravel(), weights=weights.ravel(), minlength=count * size).reshape(
        count, size
    )
