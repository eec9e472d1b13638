"""Every metric of one outcome, each with its interval."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation import metrics
from pipeline.evaluation.estimates import Estimate
from pipeline.evaluation.intervals import (
    percentile_estimate,
    resample_confusion,
    resample_rankings,
    wilson,
)
from pipeline.evaluation.outcome import Outcome, Task
from pipeline.evaluation.ranking import average_precision, roc_auc

# The empty label is the set as a whole; any other is the class that the metric is about.
Key = tuple[str, str]
Values = Mapping[Key, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How intervals are made: their ``confidence`` and the number of ``resamples``."""

    confidence: float
    resamples: int


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Metrics of the set as a whole, and of each class against the rest."""

    overall: Mapping[str, Estimate]
    per_class: Mapping[str, Mapping[str, Estimate]]


def assess(
    outcome: Outcome, *, bootstrap: Bootstrap | None = None, rng: np.random.Generator | None = None
) -> Assessment:
    """Judge one outcome; without ``bootstrap`` there are no intervals.

    Accuracy, precision, recall and specificity are proportions and get Wilson intervals; the
    others get a percentile bootstrap, stratified by class (rows are originals, one a source).
    """
    task = outcome.task
    values = _by_decision(outcome.confusion, task) | _by_ranking(_ranked(outcome), task)
    proportions = _proportions(outcome)
    resampled = _resample(outcome, bootstrap, rng) if bootstrap else {}
    estimates = {}
    for key, value in values.items():
        if np.isnan(value):
            estimates[key] = Estimate(value=None, reason=metrics.reason(key[1], _label(key, task)))
        elif bootstrap and key in proportions:
            low, high = wilson(*proportions[key], confidence=bootstrap.confidence)
            estimates[key] = Estimate(value=float(value), low=low, high=high)
        elif key in resampled:
            estimates[key] = percentile_estimate(
                float(value), resampled[key], confidence=bootstrap.confidence
            )
        else:
            estimates[key] = Estimate(value=float(value))
    return Assessment(
        overall=_about("", estimates),
        per_class={label: _about(label, estimates) for label in task.classes},
    )


def _label(key: Key, task: Task) -> str | None:
    return key[0] or task.positive


def _about(label: str, estimates: Mapping[Key, Estimate]) -> dict[str, Estimate]:
    return {name: estimate for (about, name), estimate in estimates.items() if about == label}


def _by_decision(counts: np.ndarray, task: Task) -> dict[Key, np.ndarray]:
    """Metrics of confusion counts (..., K, K), each (...)."""
    per_class = {
        "precision": metrics.precision(counts),
        "recall": metrics.recall(counts),
        "specificity": metrics.specificity(counts),
        "f1": metrics.f1(counts),
    }
    values = {
        (label, name): column[..., index]
        for index, label in enumerate(task.classes)
        for name, column in per_class.items()
    }
    focus = task.focus(counts)
    values["", "accuracy"] = metrics.accuracy(focus)
    values["", "balanced_accuracy"] = metrics.balanced_accuracy(focus)
    if task.positive is None:
        values["", "macro_precision"] = per_class["precision"].mean(-1)
    else:
        values |= {("", name): values[task.positive, name] for name in per_class}
    values["", "macro_f1"] = per_class["f1"].mean(-1)
    values["", "mcc"] = metrics.mcc(focus)
    return values


_RANKED = ("roc_auc", "average_precision")


def _quality(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """The metrics of _RANKED from counts (..., levels), (..., 2)."""
    return np.stack([roc_auc(positives, negatives), average_precision(positives, negatives)], -1)


def _ranked(outcome: Outcome) -> np.ndarray:
    return np.stack([_quality(*ranking.counts()) for ranking in outcome.rankings])


def _by_ranking(quality: np.ndarray, task: Task) -> dict[Key, np.ndarray]:
    """Named columns of ``quality`` (..., K, 2)."""
    values = {
        (label, name): quality[..., index, column]
        for index, label in enumerate(task.classes)
        for column, name in enumerate(_RANKED)
    }
    for column, name in enumerate(_RANKED):
        if task.positive is None:
            values["", f"macro_{name}"] = quality[..., column].mean(-1)
        else:
            values["", name] = values[task.positive, name]
    return values


def _resample(outcome: Outcome, bootstrap: Bootstrap, rng: np.random.Generator) -> Values:
    """Bootstrap values (R,) of every metric.

    Each ranking costs a pass over all resamples. Where there is a positive class only its own is
    resampled: that of a common class against a rare one says nothing of interest.
    """
    task, size = outcome.task, bootstrap.resamples
    counts = resample_confusion(outcome.confusion, resamples=size, rng=rng)
    chosen = range(len(task.classes)) if task.positive is None else [task.positive_index]
    quality = np.full((size, len(task.classes), len(_RANKED)), np.nan)
    quality[:, list(chosen)] = resample_rankings(
        [outcome.rankings[index] for index in chosen],
        outcome.targets,
        _quality,
        resamples=size,
        rng=rng,
    )
    ranked = _by_ranking(quality, task)
    others = {label for index, label in enumerate(task.classes) if index not in chosen}
    kept = {key: values for key, values in ranked.items() if key[0] not in others}
    return _by_decision(counts, task) | kept


def _proportions(outcome: Outcome) -> dict[Key, tuple[int, int]]:
    """(successes, trials) of the metrics that are a proportion."""
    task, counts = outcome.task, outcome.confusion
    hits, actual, called = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    right, others = metrics.specificity_counts(counts)
    found = {}
    for index, label in enumerate(task.classes):
        found[label, "precision"] = (int(hits[index]), int(called[index]))
        found[label, "recall"] = (int(hits[index]), int(actual[index]))
        found[label, "specificity"] = (int(right[index]), int(others[index]))
    focus = task.focus(counts)
    found["", "accuracy"] = (int(focus.trace()), int(focus.sum()))
    if task.positive is not None:
        names = ("precision", "recall", "specificity")
        found |= {("", name): found[task.positive, name] for name in names}
    return found
