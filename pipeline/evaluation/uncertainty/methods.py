"""Which interval each metric gets.

A metric's ``family`` names its method. CLOSED_FORMS has those that are computed from the counts;
any other is bootstrapped. A new method is a function and an entry here. Where several rows are of
one group, each method counts the independent rows that tell as much
(:mod:`raresight.pipeline.evaluation.uncertainty.effective`): none of them becomes another one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.confusion import Margins
from raresight.pipeline.evaluation.metrics.metric import Family, Metric
from raresight.pipeline.evaluation.metrics.registry import METRICS, RANKED
from raresight.pipeline.evaluation.metrics.table import (
    Key,
    Values,
    by_decision,
    by_ranking,
    metric_table,
    ranking_quality,
)
from raresight.pipeline.evaluation.uncertainty.effective import Counts, too_few_groups
from raresight.pipeline.evaluation.uncertainty.influence import (
    average_precision_influence,
    roc_auc_influence,
    spread,
)
from raresight.pipeline.evaluation.uncertainty.intervals import (
    Interval,
    auc_interval,
    average_precision_interval,
    interval_of_variance,
    mean_of_many,
    mean_of_proportions,
)
from raresight.pipeline.evaluation.uncertainty.outcomes import (
    groups_of,
    of_one_group,
    worth_of,
    worth_of_classes,
    worth_of_each,
)
from raresight.pipeline.evaluation.uncertainty.resampling import (
    resample_rankings,
    smooth_confusion,
    smooth_margins,
)
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

_CELLS_AT_ONCE = 2**22
_MANY_CLASSES = 50  # of more only those cells of the confusion are drawn that hold answers
COMPILED = ("roc_auc", "average_precision")  # as row_bootstrap.py returns them

# The two ends, resampled values (R,) to take them from, or the reason why there is no interval.
Ends = Interval | np.ndarray | str


def intervals(
    outcome: Predictions, settings: IntervalSettings, rng: np.random.Generator
) -> dict[Key, Ends]:
    """Each metric's interval, resampled values to take it from, or why there is none.

    What has no closed form gets a bootstrap of the answers of each class, or of the rows of each
    class. Macro and weighted values of rankings have intervals only where there is no positive
    class.
    """
    found: dict[Key, Ends] = {**_by_decision(outcome, settings, rng)}
    if outcome.task.positive is None:
        found |= _by_ranking(outcome, settings, rng)
    if len(outcome.task.classes) > 2:
        found |= _over_classes(outcome, found, settings)
    found |= _of_one_group(outcome, found)
    return found | _closed_forms(outcome, settings)


def resampled_confusions(
    outcome: Predictions, num_bootstrap: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Plausible confusion counts, (C, K, K) at a time, ``num_bootstrap`` in all.

    The answers of each class are drawn, smoothed, as often as it has independent images (see
    :func:`raresight.pipeline.evaluation.uncertainty.resampling.smooth_confusion`).
    """
    effective = worth_of_classes(outcome)
    chunk = max(1, _CELLS_AT_ONCE // outcome.confusion.size)
    for done in range(0, num_bootstrap, chunk):
        count = min(chunk, num_bootstrap - done)
        yield smooth_confusion(outcome.confusion, resamples=count, rng=rng, effective=effective)


def _resampled_margins(
    outcome: Predictions, num_bootstrap: int, rng: np.random.Generator
) -> Iterator[Margins]:
    """The margins of as many plausible confusion counts, in time that grows with the classes only
    as the answers do."""
    effective, counts = worth_of_classes(outcome), outcome.confusion
    chunk = max(1, _CELLS_AT_ONCE // (int(np.count_nonzero(counts)) + len(counts)))
    for done in range(0, num_bootstrap, chunk):
        count = min(chunk, num_bootstrap - done)
        yield smooth_margins(counts, resamples=count, rng=rng, effective=effective)


def _by_decision(
    outcome: Predictions, settings: IntervalSettings, rng: np.random.Generator
) -> Values:
    many = len(outcome.task.classes) > _MANY_CLASSES
    drawn = _resampled_margins if many else resampled_confusions
    parts = [
        by_decision(counts, outcome.task) for counts in drawn(outcome, settings.num_bootstrap, rng)
    ]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _by_ranking(
    outcome: Predictions, settings: IntervalSettings, rng: np.random.Generator
) -> Values:
    rankings, targets, resamples = outcome.rankings, outcome.targets, settings.num_bootstrap
    groups = groups_of(outcome)
    if groups is not None or set(RANKED) - {*COMPILED}:
        quality = resample_rankings(
            rankings, targets, ranking_quality, groups=groups, resamples=resamples, rng=rng
        )
    else:
        from raresight.pipeline.evaluation.uncertainty.row_bootstrap import resample_quality

        columns = [COMPILED.index(name) for name in RANKED]
        quality = resample_quality(rankings, targets, resamples=resamples, rng=rng)[..., columns]
    return by_ranking(quality, outcome.task, outcome.confusion.sum(-1))


def _over_classes(
    outcome: Predictions, drawn: Mapping[Key, Ends], settings: IntervalSettings
) -> dict[Key, Ends]:
    """Values of all classes together, where there are more than two: Wilson's form.

    The mean of many small classes lies off the middle of its resamples, whose percentiles then
    cover 74 to 93 %; the number of images that would give their variance covers 93 to 97.
    """
    values, found = metric_table(outcome), dict[Key, Ends]()
    worth = worth_of_classes(outcome)
    each = len(worth) ** 2 / (1 / np.maximum(worth, 1e-9)).sum()
    for key, ends in drawn.items():
        metric = METRICS[key[1]]
        whole = metric.mean_of is not None or outcome.task.positive is None
        if key[0] or not whole or not isinstance(ends, np.ndarray):
            continue
        known = ends[~np.isnan(ends)]
        if len(known) > settings.confidence_level * len(ends) and not np.isnan(values[key]):
            most = float(worth.sum()) if metric.weighted else each
            found[key] = interval_of_variance(
                float(values[key]),
                float(known.var(ddof=1)),
                most=most,
                lowest=metric.lowest,
                confidence=settings.confidence_level,
            )
    return found


def _of_one_group(outcome: Predictions, keys: Iterable[Key]) -> dict[Key, Ends]:
    """Why there is no interval where the images of a class, or all others, are of one group."""
    found: dict[Key, Ends] = {}
    own, rest = of_one_group(outcome)
    for label, name in keys:
        metric, about = METRICS[name], label or outcome.task.positive
        if metric.mean_of is not None and not label:
            about = None
        place = slice(None) if about is None else outcome.task.classes.index(about)
        kinds = own if about is None else np.array([own[place], rest[place]])
        if (images := int(kinds.max(initial=0))) > 0:
            found[label, name] = too_few_groups(images)
    return found


def _closed_forms(outcome: Predictions, settings: IntervalSettings) -> dict[Key, Ends]:
    """By label and name; what a test set is too small for has none."""
    task = outcome.task
    found: dict[Key, Ends | None] = {}
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
) -> Ends | None:
    images, counts = worth_of(metric, outcome, index)
    return too_few_groups(images) if counts is None else settings.proportion(*counts)


def _mean_of_proportions(
    metric: Metric, outcome: Predictions, index: int | None, settings: IntervalSettings
) -> Ends | None:
    parts: list[Counts] = []
    for images, counts in worth_of_each(metric, outcome):
        if counts is None:
            return too_few_groups(images)
        parts.append(counts)
    if len(parts) > 2:
        return mean_of_many(
            parts, confidence=settings.confidence_level, method=settings.proportion_interval
        )
    return mean_of_proportions(
        parts, confidence=settings.confidence_level, method=settings.proportion_interval
    )


def _roc_auc(
    metric: Metric, outcome: Predictions, index: int | None, settings: IntervalSettings
) -> Ends | None:
    assert index is not None
    ranking = outcome.rankings[index]
    positives, negatives = ranking.counts()
    if min(positives.sum(), negatives.sum()) < 2:
        return None
    influence = roc_auc_influence(positives, negatives)
    found = spread(influence, ranking, groups_of(outcome))
    if found is None:
        return _reason(outcome, index)
    return auc_interval(influence.value, found, confidence=settings.confidence_level)


def _average_precision(
    metric: Metric, outcome: Predictions, index: int | None, settings: IntervalSettings
) -> Ends | None:
    assert index is not None
    ranking = outcome.rankings[index]
    positives, negatives = ranking.counts()
    if not positives.sum():
        return None
    influence = average_precision_influence(positives, negatives)
    found = spread(influence, ranking, groups_of(outcome))
    if found is None and (reason := _reason(outcome, index)) is not None:
        return reason
    return average_precision_interval(
        influence.value,
        found,
        positives=int(positives.sum()),
        confidence=settings.confidence_level,
    )


def _reason(outcome: Predictions, index: int) -> str | None:
    images = max(int(kind[index]) for kind in of_one_group(outcome))
    return too_few_groups(images) if images else None


Method = Callable[[Metric, Predictions, int | None, IntervalSettings], Ends | None]
# The class index is None for a metric of the set as a whole.
CLOSED_FORMS: Mapping[Family, Method] = {
    "proportion": _proportion,
    "mean_of_proportions": _mean_of_proportions,
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
}
