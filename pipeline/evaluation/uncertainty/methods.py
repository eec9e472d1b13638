"""Which interval each metric gets.

A metric's ``family`` names its method. CLOSED_FORMS has those that are computed from the counts;
any other is bootstrapped. A new method is a function and an entry here.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.metric import Family, Metric
from raresight.pipeline.evaluation.metrics.ranking import (
    average_precision,
    delong_variance,
    roc_auc,
)
from raresight.pipeline.evaluation.metrics.registry import METRICS, RANKED
from raresight.pipeline.evaluation.metrics.table import (
    Key,
    Values,
    by_decision,
    by_ranking,
    ranking_quality,
)
from raresight.pipeline.evaluation.uncertainty.intervals import (
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
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

_CELLS_AT_ONCE = 2**22
COMPILED = ("roc_auc", "average_precision")  # as row_bootstrap.py returns them


def intervals(
    outcome: Predictions, settings: IntervalSettings, rng: np.random.Generator
) -> dict[Key, Interval | np.ndarray]:
    """The two ends of each metric's interval, or resampled values (R,) to take them from.

    Where several rows are of one group, everything gets a bootstrap that draws whole groups.
    Else what has no closed form gets one stratified by class. Macro and weighted values of rankings
    have intervals only where there is no positive class.
    """
    found: dict[Key, Interval | np.ndarray] = {**_by_decision(outcome, settings, rng)}
    grouped = has_groups(outcome.groups)
    if grouped or outcome.task.positive is None:
        found |= _by_ranking(outcome, settings, rng)
    if not grouped:
        found.update(_closed_forms(outcome, settings))
    return found


def resampled_confusions(
    outcome: Predictions, num_bootstrap: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Plausible confusion counts, (C, K, K) at a time, ``num_bootstrap`` in all.

    Whole groups are drawn where several rows are of one; else the answers of each class are,
    smoothed (see :func:`raresight.pipeline.evaluation.uncertainty.resampling.smooth_confusion`).
    """
    size = len(outcome.task.classes)
    if outcome.groups is not None and has_groups(outcome.groups):
        cells = resample_cells(
            outcome.targets * size + outcome.predicted,
            outcome.targets,
            outcome.groups,
            num_cells=size**2,
            resamples=num_bootstrap,
            rng=rng,
        )
        yield cells.reshape(-1, size, size)
        return
    chunk = max(1, _CELLS_AT_ONCE // outcome.confusion.size)
    for done in range(0, num_bootstrap, chunk):
        count = min(chunk, num_bootstrap - done)
        yield smooth_confusion(outcome.confusion, resamples=count, rng=rng)


def _by_decision(
    outcome: Predictions, settings: IntervalSettings, rng: np.random.Generator
) -> Values:
    parts = [
        by_decision(counts, outcome.task)
        for counts in resampled_confusions(outcome, settings.num_bootstrap, rng)
    ]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _by_ranking(
    outcome: Predictions, settings: IntervalSettings, rng: np.random.Generator
) -> Values:
    rankings, targets, resamples = outcome.rankings, outcome.targets, settings.num_bootstrap
    if has_groups(outcome.groups) or set(RANKED) - {*COMPILED}:
        groups = outcome.groups
        quality = resample_rankings(
            rankings, targets, ranking_quality, groups=groups, resamples=resamples, rng=rng
        )
    else:
        from raresight.pipeline.evaluation.uncertainty.row_bootstrap import resample_quality

        columns = [COMPILED.index(name) for name in RANKED]
        quality = resample_quality(rankings, targets, resamples=resamples, rng=rng)[..., columns]
    return by_ranking(quality, outcome.task, outcome.confusion.sum(-1))


def _closed_forms(outcome: Predictions, settings: IntervalSettings) -> dict[Key, Interval]:
    """By label and name; what a test set is too small for has none."""
    task = outcome.task
    found: dict[Key, Interval | None] = {}
    for name, metric in METRICS.items():
        method = CLOSED_FORMS.get(metric.family)
        if method is None or len(task.classes) < metric.min_classes:
            continue
        if metric.scope == "set":
            found["", name] = method(metric, outcome, None, settings)
            continue
        for index, label in enumerate(task.classes):
            found[label, name] = method(metric, outcome, index, settings)
        if task.positive is not None:
            found["", name] = found[task.positive, name]
    return {key: ends for key, ends in found.items() if ends is not None}


def _proportion(
    metric: Metric, outcome: Predictions, index: int | None, settings: IntervalSettings
) -> Interval | None:
    if metric.of_scores is not None:
        return settings.proportion(*metric.of_scores(outcome.targets, outcome.scores))
    successes, trials = _parts(metric, outcome, index)
    if index is not None:
        successes, trials = successes[index], trials[index]
    return settings.proportion(int(successes), int(trials))


def _mean_of_proportions(
    metric: Metric, outcome: Predictions, index: int | None, settings: IntervalSettings
) -> Interval | None:
    pairs = zip(*_parts(metric, outcome, index), strict=True)
    return mean_of_proportions(
        [(int(successes), int(trials)) for successes, trials in pairs],
        confidence=settings.confidence_level,
        method=settings.proportion_interval,
    )


def _parts(
    metric: Metric, outcome: Predictions, index: int | None
) -> tuple[np.ndarray, np.ndarray]:
    assert metric.parts is not None  # its family is about proportions
    counts = outcome.confusion
    return metric.parts(outcome.task.focus(counts) if index is None else counts)


def _delong(
    metric: Metric, outcome: Predictions, index: int | None, settings: IntervalSettings
) -> Interval | None:
    assert index is not None
    positives, negatives = outcome.rankings[index].counts()
    total = int(positives.sum()), int(negatives.sum())
    if min(total) < 2:
        return None
    return auc_interval(
        float(roc_auc(positives, negatives)),
        delong_variance(positives, negatives),
        positives=total[0],
        negatives=total[1],
        confidence=settings.confidence_level,
    )


def _logit(
    metric: Metric, outcome: Predictions, index: int | None, settings: IntervalSettings
) -> Interval | None:
    assert index is not None
    positives, negatives = outcome.rankings[index].counts()
    if not positives.sum():
        return None
    return average_precision_interval(
        float(average_precision(positives, negatives)),
        positives=int(positives.sum()),
        confidence=settings.confidence_level,
    )


Method = Callable[[Metric, Predictions, int | None, IntervalSettings], Interval | None]
# The class index is None for a metric of the set as a whole.
CLOSED_FORMS: Mapping[Family, Method] = {
    "proportion": _proportion,
    "mean_of_proportions": _mean_of_proportions,
    "roc_auc": _delong,
    "average_precision": _logit,
}
