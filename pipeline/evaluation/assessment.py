"""Every metric of one outcome, each with its interval."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.registry import undefined
from raresight.pipeline.evaluation.metrics.table import (
    TOP,
    Key,
    Values,
    by_decision,
    by_ranking,
    ranked,
    top_hits,
)
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import (
    PROPORTIONS,
    Interval,
    percentile_estimate,
)
from raresight.pipeline.evaluation.uncertainty.methods import Bootstrap, intervals

_TOP_FROM = 10  # classes; with fewer, being among the best five says little


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Metrics of the set as a whole, and of each class against the rest."""

    overall: Mapping[str, Estimate]
    per_class: Mapping[str, Mapping[str, Estimate]]


def assess(
    outcome: Predictions,
    *,
    bootstrap: Bootstrap | None = None,
    rng: np.random.Generator | None = None,
) -> Assessment:
    """Judge one outcome; without ``bootstrap`` there are no intervals."""
    task, support = outcome.task, outcome.confusion.sum(-1)
    values = by_decision(outcome.confusion, task) | by_ranking(ranked(outcome), task, support)
    if len(task.classes) > _TOP_FROM:
        values["", f"top_{TOP}_accuracy"] = confusion.ratio(top_hits(outcome), len(outcome.targets))
    return _assessment(values, task, bootstrap, intervals(outcome, bootstrap, rng))


def assess_chance(counts: np.ndarray, task: Task) -> Assessment:
    """The values of an answer that knows nothing, from its expected confusion ``counts`` (K, K).

    It ranks by chance: its ROC-AUC is 1/2 and its average precision the share of positives.
    """
    return _assessment(_by_chance(counts, task), task, None, {})


def assess_majority(outcome: Predictions, bootstrap: Bootstrap) -> Assessment:
    """The values of an answer that is always the same.

    Its accuracy depends on which images the test set holds, and has an interval; the rest is sure.
    """
    counts, task = outcome.confusion, outcome.task
    focus = task.focus(counts)  # right about the positive class is right enough
    share = PROPORTIONS[bootstrap.proportions](
        int(focus.trace()), int(focus.sum()), confidence=bootstrap.confidence
    )
    ends = {("", "accuracy"): share} if share else {}
    return _assessment(_by_chance(counts, task), task, None, ends)


def _by_chance(counts: np.ndarray, task: Task) -> Values:
    shares = confusion.ratio(counts.sum(-1), counts.sum())
    quality = np.stack([np.where(shares < 1, 0.5, np.nan), shares], axis=-1)
    quality[shares == 0] = np.nan
    return by_decision(counts, task) | by_ranking(quality, task, counts.sum(-1))


def _assessment(
    values: Values,
    task: Task,
    bootstrap: Bootstrap | None,
    ends: Mapping[Key, Interval | np.ndarray],
) -> Assessment:
    estimates = {}
    for key, value in values.items():
        if np.isnan(value):
            label = key[0] or task.positive
            estimates[key] = Estimate(value=None, reason=undefined(key[1], label))
        else:
            estimates[key] = _estimate(float(value), ends.get(key), bootstrap)
    return Assessment(
        overall=_about("", estimates),
        per_class={label: _about(label, estimates) for label in task.classes},
    )


def _estimate(
    value: float, ends: Interval | np.ndarray | None, bootstrap: Bootstrap | None
) -> Estimate:
    """``value`` with its interval, of which there are the two ends or resampled values (R,)."""
    if ends is None:
        return Estimate(value=value)
    if isinstance(ends, np.ndarray):
        return percentile_estimate(value, ends, confidence=bootstrap.confidence)
    return Estimate(value=value, low=ends[0], high=ends[1])


def _about(label: str, estimates: Mapping[Key, Estimate]) -> dict[str, Estimate]:
    return {name: estimate for (about, name), estimate in estimates.items() if about == label}
