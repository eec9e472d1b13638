"""The metrics that versions are compared by, under any weights of the rows.

The names are those of ``results.json``. What is undefined is NaN.
"""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.metrics.ranking import rank
from raresight.pipeline.evaluation.metrics.registry import METRICS, PRIMARY, RANKED, shown
from raresight.pipeline.evaluation.metrics.table import (
    Key,
    by_decision,
    by_ranking,
    ranking_quality,
)
from raresight.pipeline.evaluation.uncertainty.resampling import weighted_counts
from raresight.pipeline.runtime.errors import ParamsError, suggest

Values = Mapping[str, np.ndarray]


def names(task: Task, *, primary: str | None = None) -> tuple[str, ...]:
    """The metrics of a task, the ``primary`` one first: the verdict on the whole rests on it.

    Where it is None, it is the registry's. Raises ParamsError where versions are not compared by
    it.
    """
    positive = task.positive is not None
    found = shown("compare", positive=positive)
    chosen = PRIMARY[positive] if primary is None else primary
    if chosen not in found:
        raise ParamsError(f"versions are not compared by '{chosen}'. {suggest(chosen, found)}")
    return (chosen, *(name for name in found if name != chosen))


def is_ranked(name: str) -> bool:
    """Whether a metric follows from the scores alone, whatever is predicted by them."""
    return METRICS[METRICS[name].mean_of or name].of_ranking is not None


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
        counts = self._confusion(weights, resample)
        known = by_decision(counts, self.task) | self._by_ranking(weights, counts.sum(-1))
        return {name: known["", name] for name in names(self.task)}

    def _confusion(self, weights: np.ndarray, resample: np.ndarray | None) -> np.ndarray:
        size = len(self.task.classes)
        cells = self.outcome.targets * size + self._predicted(resample)
        return weighted_counts(cells, weights, size * size).reshape(len(weights), size, size)

    def _predicted(self, resample: np.ndarray | None) -> np.ndarray:
        positive = self.task.positive_index
        if resample is None or self.thresholds is None or positive is None:
            return self.outcome.predicted
        scores = self.outcome.scores
        above = scores[:, positive] >= self.thresholds[resample][:, None]
        return np.where(above, positive, self.task.best_other(scores))

    def _by_ranking(self, weights: np.ndarray, support: np.ndarray) -> dict[Key, np.ndarray]:
        quality = []
        for ranking in self._rankings:
            size, cells = ranking.num_levels, ranking.level + ranking.num_levels * ranking.positive
            counts = weighted_counts(cells, weights, 2 * size)
            quality.append(ranking_quality(counts[:, size:], counts[:, :size]))
        if self.task.positive is None:
            return by_ranking(np.stack(quality, axis=1), self.task, support)
        (own,) = quality
        return {("", name): own[:, place] for place, name in enumerate(RANKED)}
