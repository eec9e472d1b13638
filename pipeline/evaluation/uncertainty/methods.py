"""Which interval each metric gets."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.ranking import (
    Ranking,
    average_precision,
    delong_variance,
    roc_auc,
)
from raresight.pipeline.evaluation.metrics.table import (
    TOP,
    Key,
    Values,
    by_decision,
    by_ranking,
    ranking_quality,
    top_hits,
)
from raresight.pipeline.evaluation.uncertainty.intervals import (
    PROPORTIONS,
    Interval,
    auc_interval,
    average_precision_interval,
    mean_of_proportions,
)
from raresight.pipeline.evaluation.uncertainty.resampling import (
    has_groups,
    resample_cells,
    resample_rankings,
    smooth_confusion,
)

_CELLS_AT_ONCE = 2**22


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How intervals are made: their ``confidence`` and the number of ``resamples``.

    ``proportions`` is the method for shares, of
    :data:`raresight.pipeline.evaluation.uncertainty.intervals.PROPORTIONS`.
    """

    confidence: float
    resamples: int
    proportions: str = "wilson"


def intervals(
    outcome: Predictions, bootstrap: Bootstrap | None, rng: np.random.Generator | None
) -> dict[Key, Interval | np.ndarray]:
    """The two ends of each metric's interval, or resampled values (R,) to take them from.

    Proportions get Wilson's (or Clopper and Pearson's) interval, the ROC-AUC DeLong's, the average
    precision the logit interval, and the rest a bootstrap stratified by class. Where several rows
    are of one group, everything gets a bootstrap that draws whole groups. Macro and weighted
    values of rankings have intervals only where there is no positive class.
    """
    if bootstrap is None:
        return {}
    if has_groups(outcome.groups):
        return _by_source(outcome, bootstrap, rng)
    found: dict[Key, Interval | np.ndarray] = dict(_by_decision(outcome, bootstrap, rng))
    if outcome.task.positive is None:
        found |= _by_ranking(outcome, bootstrap, rng)
    return found | _closed_forms(outcome, bootstrap)


def resampled_confusions(
    outcome: Predictions, bootstrap: Bootstrap, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Plausible confusion counts, (C, K, K) at a time, R in all.

    Whole groups are drawn where several rows are of one; else the answers of each class are,
    smoothed (see :func:`raresight.pipeline.evaluation.uncertainty.resampling.smooth_confusion`).
    """
    size, resamples = len(outcome.task.classes), bootstrap.resamples
    if has_groups(outcome.groups):
        cells = resample_cells(
            outcome.targets * size + outcome.predicted,
            outcome.targets,
            outcome.groups,
            num_cells=size**2,
            resamples=resamples,
            rng=rng,
        )
        yield cells.reshape(-1, size, size)
        return
    chunk = max(1, _CELLS_AT_ONCE // outcome.confusion.size)
    for done in range(0, resamples, chunk):
        yield smooth_confusion(outcome.confusion, resamples=min(chunk, resamples - done), rng=rng)


def _by_source(outcome: Predictions, bootstrap: Bootstrap, rng: np.random.Generator) -> Values:
    return _by_decision(outcome, bootstrap, rng) | _by_ranking(outcome, bootstrap, rng)


def _by_decision(outcome: Predictions, bootstrap: Bootstrap, rng: np.random.Generator) -> Values:
    parts = [
        by_decision(counts, outcome.task)
        for counts in resampled_confusions(outcome, bootstrap, rng)
    ]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _by_ranking(outcome: Predictions, bootstrap: Bootstrap, rng: np.random.Generator) -> Values:
    drawn = {"resamples": bootstrap.resamples, "rng": rng}
    if has_groups(outcome.groups):
        quality = resample_rankings(
            *(outcome.rankings, outcome.targets, ranking_quality),
            groups=outcome.groups,
            **drawn,
        )
    else:
        from raresight.pipeline.evaluation.uncertainty.row_bootstrap import resample_quality

        quality = resample_quality(outcome.rankings, outcome.targets, **drawn)
    return by_ranking(quality, outcome.task, outcome.confusion.sum(-1))


def _closed_forms(outcome: Predictions, bootstrap: Bootstrap) -> dict[Key, Interval]:
    task, confidence, method = outcome.task, bootstrap.confidence, bootstrap.proportions
    shares = _proportions(outcome)
    found = {
        key: PROPORTIONS[method](*share, confidence=confidence) for key, share in shares.items()
    }
    found["", "balanced_accuracy"] = mean_of_proportions(
        _recalls(task.focus(outcome.confusion)), confidence=confidence, method=method
    )
    for label, ranking in zip(task.classes, outcome.rankings, strict=True):
        found |= _of_ranking(label, ranking, confidence)
    if task.positive is not None:
        found |= _of_ranking("", outcome.rankings[task.positive_index], confidence)
    return {key: ends for key, ends in found.items() if ends is not None}


def _recalls(counts: np.ndarray) -> list[tuple[int, int]]:
    pairs = zip(counts.diagonal(), counts.sum(axis=1), strict=True)
    return [(int(hits), int(images)) for hits, images in pairs]


def _of_ranking(label: str, ranking: Ranking, confidence: float) -> dict[Key, Interval]:
    positives, negatives = ranking.counts()
    found, total = {}, (int(positives.sum()), int(negatives.sum()))
    if total[0]:
        value = float(average_precision(positives, negatives))
        found[label, "average_precision"] = average_precision_interval(
            value, positives=total[0], confidence=confidence
        )
    if min(total) > 1:
        found[label, "roc_auc"] = auc_interval(
            float(roc_auc(positives, negatives)),
            delong_variance(positives, negatives),
            positives=total[0],
            negatives=total[1],
            confidence=confidence,
        )
    return found


def _proportions(outcome: Predictions) -> dict[Key, tuple[int, int]]:
    """(successes, trials) of the metrics that are a proportion."""
    task, counts = outcome.task, outcome.confusion
    hits, actual, called = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    right, others = confusion.specificity_counts(counts)
    found = {}
    for index, label in enumerate(task.classes):
        found[label, "precision"] = (int(hits[index]), int(called[index]))
        found[label, "recall"] = (int(hits[index]), int(actual[index]))
        found[label, "specificity"] = (int(right[index]), int(others[index]))
    focus = task.focus(counts)
    found["", "accuracy"] = (int(focus.trace()), int(focus.sum()))
    found["", f"top_{TOP}_accuracy"] = (_top(outcome, task), len(outcome.targets))
    if task.positive is not None:
        names = ("precision", "recall", "specificity")
        found |= {("", name): found[task.positive, name] for name in names}
    return found


def _top(outcome: Predictions, task: Task) -> int:
    return top_hits(outcome) if len(task.classes) > TOP else len(outcome.targets)
