"""The values of all metrics at once, of one confusion or of thousands of resampled ones."""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Outcome, Task
from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.ranking import average_precision, roc_auc

# The empty label is the set as a whole; any other is the class that the metric is about.
Key = tuple[str, str]
Values = Mapping[Key, np.ndarray]

RANKED = ("roc_auc", "average_precision")
TOP = 5  # of how many best classes the right one may be any


def by_decision(counts: np.ndarray, task: Task) -> dict[Key, np.ndarray]:
    """Metrics of confusion counts (..., K, K), each (...)."""
    per_class = {
        "precision": confusion.precision(counts),
        "recall": confusion.recall(counts),
        "specificity": confusion.specificity(counts),
        "f1": confusion.f1(counts),
    }
    values = {
        (label, name): column[..., index]
        for index, label in enumerate(task.classes)
        for name, column in per_class.items()
    }
    focus, support = task.focus(counts), counts.sum(-1)
    values["", "accuracy"] = confusion.accuracy(focus)
    values["", "balanced_accuracy"] = confusion.balanced_accuracy(focus)
    if task.positive is not None:
        values |= {("", name): values[task.positive, name] for name in per_class}
    for name in ("precision", "recall", "f1"):
        values["", f"macro_{name}"] = confusion.macro(per_class[name])
        values["", f"weighted_{name}"] = confusion.weighted(per_class[name], support)
    values["", "mcc"] = confusion.mcc(focus)
    return values


def ranking_quality(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """The metrics of RANKED from counts (..., levels), (..., 2)."""
    return np.stack([roc_auc(positives, negatives), average_precision(positives, negatives)], -1)


def ranked(outcome: Outcome) -> np.ndarray:
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


def top_hits(outcome: Outcome) -> int:
    """In how many rows the actual class is among the TOP best."""
    return confusion.top_k_hits(outcome.targets, outcome.scores, k=TOP)
