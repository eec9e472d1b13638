"""The values of all metrics at once, of one confusion or of thousands of resampled ones."""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.metric import Metric
from raresight.pipeline.evaluation.metrics.registry import METRICS, RANKED

# The empty label is the set as a whole; any other is the class that the metric is about.
Key = tuple[str, str]
Values = Mapping[Key, np.ndarray]


def metric_table(outcome: Predictions) -> dict[Key, np.ndarray]:
    """Every metric of one outcome, of each class and of the set; NaN where it is undefined."""
    task = outcome.task
    values = by_decision(outcome.confusion, task)
    values |= by_ranking(ranked(outcome), task, outcome.confusion.sum(-1))
    for name, metric in METRICS.items():
        if metric.of_scores is not None and len(task.classes) >= metric.min_classes:
            right = metric.of_scores(outcome.targets, outcome.scores)
            values["", name] = confusion.ratio(right.sum(), np.asarray(len(right)))
    return values


def by_decision(counts: confusion.Counts, task: Task) -> dict[Key, np.ndarray]:
    """Metrics of confusion counts (..., K, K), or of their margins, each (...)."""
    counts = confusion.margins(counts)
    focus: confusion.Counts = counts
    if task.positive_index is not None:
        focus = confusion.one_against_rest(counts, task.positive_index)
    columns: dict[str, np.ndarray] = {}
    values: dict[Key, np.ndarray] = {}
    for name, metric in METRICS.items():
        found = metric.decided(focus if metric.scope == "set" else counts)
        if found is not None and metric.scope == "set":
            values["", name] = found
        elif found is not None:
            columns[name] = found
    return values | _by_class(columns, task, counts.actual)


def ranking_quality(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """The metrics of RANKED from counts (..., levels), (..., len(RANKED))."""
    return np.stack([_of_ranking(METRICS[name], positives, negatives) for name in RANKED], axis=-1)


def ranked(outcome: Predictions) -> np.ndarray:
    """The metrics of RANKED of each class, (K, len(RANKED))."""
    return np.stack([ranking_quality(*ranking.counts()) for ranking in outcome.rankings])


def by_ranking(quality: np.ndarray, task: Task, support: np.ndarray) -> dict[Key, np.ndarray]:
    """Named columns of ``quality`` (..., K, len(RANKED)); ``support`` (K,) images of each class."""
    columns = {name: quality[..., place] for place, name in enumerate(RANKED)}
    return _by_class(columns, task, support)


def _by_class(
    columns: Mapping[str, np.ndarray], task: Task, support: np.ndarray
) -> dict[Key, np.ndarray]:
    """The values (..., K) of ``columns`` by class, the positive class's, and means of them."""
    values = {
        (label, name): column[..., index]
        for name, column in columns.items()
        for index, label in enumerate(task.classes)
    }
    if task.positive is not None:
        values |= {("", name): values[task.positive, name] for name in columns}
    for name, metric in METRICS.items():
        if metric.mean_of is not None and metric.mean_of in columns:
            column = columns[metric.mean_of]
            values["", name] = (
                confusion.weighted(column, support) if metric.weighted else confusion.macro(column)
            )
    return values


def _of_ranking(metric: Metric, positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    assert metric.of_ranking is not None  # it is in RANKED
    return metric.of_ranking(positives, negatives)
