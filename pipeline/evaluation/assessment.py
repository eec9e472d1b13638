"""Every metric of one outcome, each with its interval."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.metrics.registry import METRICS, undefined
from raresight.pipeline.evaluation.metrics.table import (
    Key,
    Values,
    by_decision,
    by_ranking,
    metric_table,
    ranking_quality,
)
from raresight.pipeline.evaluation.uncertainty.effective import too_few_groups
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import percentile_estimate
from raresight.pipeline.evaluation.uncertainty.methods import Ends, intervals
from raresight.pipeline.evaluation.uncertainty.outcomes import worth_of
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Metrics of the set as a whole, and of each class against the rest."""

    overall: Mapping[str, Estimate]
    per_class: Mapping[str, Mapping[str, Estimate]]


def assess(
    outcome: Predictions, *, settings: IntervalSettings, rng: np.random.Generator
) -> Assessment:
    """Judge one outcome, every metric with its interval."""
    ends = intervals(outcome, settings, rng)
    return _assessment(metric_table(outcome), outcome.task, ends, settings.confidence_level)


def assess_values(outcome: Predictions) -> Assessment:
    """Judge one outcome without intervals."""
    return _assessment(metric_table(outcome), outcome.task)


def assess_chance(counts: np.ndarray, task: Task) -> Assessment:
    """The values of an answer that knows nothing, from its expected confusion ``counts`` (K, K).

    It ranks by chance, all images alike: its ROC-AUC is 1/2 and its average precision the share of
    positives.
    """
    return _assessment(_by_chance(counts, task), task)


def assess_majority(outcome: Predictions, settings: IntervalSettings) -> Assessment:
    """The values of an answer that is always the same.

    Its accuracy depends on which images the test set holds, and has an interval; the rest is sure.
    """
    counts, task = outcome.confusion, outcome.task
    images, known = worth_of(METRICS["accuracy"], outcome, None)
    share = too_few_groups(images) if known is None else settings.proportion(*known)
    ends: dict[Key, Ends] = {("", "accuracy"): share} if share else {}
    return _assessment(_by_chance(counts, task), task, ends, settings.confidence_level)


def _by_chance(counts: np.ndarray, task: Task) -> Values:
    support = counts.sum(-1)
    # One level for all: each class (K, 1) against the rest.
    quality = ranking_quality(support[:, None], (support.sum() - support)[:, None])
    return by_decision(counts, task) | by_ranking(quality, task, support)


def _assessment(
    values: Values, task: Task, ends: Mapping[Key, Ends] | None = None, confidence: float = 0.0
) -> Assessment:
    estimates = {}
    for key, value in values.items():
        if np.isnan(value):
            label = key[0] or task.positive
            estimates[key] = Estimate(value=None, reason=undefined(key[1], label))
        else:
            estimates[key] = _estimate(float(value), (ends or {}).get(key), confidence)
    return Assessment(
        overall=_about("", estimates),
        per_class={label: _about(label, estimates) for label in task.classes},
    )


def _estimate(value: float, ends: Ends | None, confidence: float) -> Estimate:
    """``value`` with its interval, of which there are the ends, resampled values, or a reason."""
    if ends is None:
        return Estimate(value=value)
    if isinstance(ends, str):
        return Estimate(value=value, reason=ends)
    if isinstance(ends, np.ndarray):
        return percentile_estimate(value, ends, confidence=confidence)
    return Estimate(value=value, low=ends[0], high=ends[1])


def _about(label: str, estimates: Mapping[Key, Estimate]) -> dict[str, Estimate]:
    return {name: estimate for (about, name), estimate in estimates.items() if about == label}
