"""The values of all metrics at once, of one confusion or of thousands of resampled ones."""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.ranking import average_precision, roc_auc
from raresight.pipeline.evaluation.metrics.registry import METRICS

# The empty label is the set as a whole; any other is the class that the metric is about.
Key = tuple[str, str]
Values = Mapping[Key, np.ndarray]

RANKED = ("roc_auc", "average_precision")
TOP = 5  # of how many best classes the right one may be any


def by_decision(counts: np.ndarray, task: Task) -> dict[Key, np.ndarray]:
    """Metrics of confusion counts (..., K, K), each (...)."""
    focus, support = task.focus(counts), counts.sum(-1)
    values: dict[Key, np.ndarray] = {}
    for name, metric in METRICS.items():
        if metric.overall is not None:
            values["", name] = metric.overall(focus)
        if metric.per_class is None:
            continue
        column = metric.per_class(counts)
        values |= {(label, name): column[..., k] for k, label in enumerate(task.classes)}
        if task.positive_index is not None:
            values["", name] = column[..., task.positive_index]
        if metric.averaged:
            values["", f"macro_{name}"] = confusion.macro(column)
            values["", f"weighted_{name}"] = confusion.weighted(column, support)
    return values


def ranking_quality(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """The metrics of RANKED from counts (..., levels), (..., 2)."""
    return np.stack([roc_auc(positives, negatives), average_precision(positives, negatives)], -1)


def ranked(outcome: Predictions) -> np.ndarray:
    """The metrics of RANKED of each class, (K, 2)."""
    return np.stack([ranking_quality(*ranking.counts()) for ranking in outcome.rankings])


def by_ranking(quality: np.ndarray, task: Task, support: np.ndarray) -> dict[Key, np.ndarray]:
    """Named columns of ``quality`` (..., K, 2); ``support`` (K,) are the images of each class."""
    values = {
        (label, name): quality[..., index, column]
        for index, label in enumerate(task.classes)
        for column, name in enumerate(RANKED)
    }
    for column, name in enumerate(RANKED):
        if task.positive is not None:
            values["", name] = values[task.positive, name]
        values["", f"macro_{name}"] = confusion.macro(quality[..., column])
        values["", f"weighted_{name}"] = confusion.weighted(quality[..., column], support)
    return values


def top_hits(outcome: Predictions) -> int:
    """In how many rows the actual class is among the TOP best."""
    return confusion.top_k_hits(outcome.targets, outcome.scores, k=TOP)
