"""Whether the model is better than each baseline, on the same test images."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.metrics.ranking import average_precision, rank
from raresight.pipeline.evaluation.uncertainty.permutation import FEW_POSITIVES, permutation_tests
from raresight.pipeline.evaluation.uncertainty.resampling import row_weights, weighted_counts
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

BETTER, WORSE, INCONCLUSIVE = "better", "worse", "inconclusive"
# By whether there is a positive class.
COMPARED_BY = {True: "average_precision", False: "balanced_accuracy"}


def against_baselines(result: EvaluationResult) -> dict[str, Any]:
    """The ``against_baselines`` entry of results.json: a verdict on each baseline that scores.

    ``metric`` names what is compared. Each baseline has ``difference`` (the model's less its own)
    with an interval, and ``verdict``: better, worse or inconclusive. The random baseline knows
    nothing, so its value is certain and the model's own interval decides.
    """
    metric = COMPARED_BY[result.task.positive is not None]
    found: dict[str, Any] = {"metric": metric}
    settings, model = result.params.intervals, result.outcomes["test"]
    for name, outcome in result.outcomes.items():
        if name.endswith("_baseline") and name != "majority_baseline":
            rng = seeds.rng(result.params.seed, "against", name)
            found[name] = _paired(model, outcome, settings, rng)
    own = result.assessments["test"].overall[metric]
    chance = result.assessments["random_baseline"].overall[metric].value
    found["random_baseline"] = _entry(own.value, chance, own.low, own.high)
    return found


def _entry(
    own: float | None, other: float | None, low: float | None, high: float | None
) -> dict[str, Any]:
    """The difference of ``own``, whose interval is ``low`` to ``high``, to a certain ``other``."""
    if own is None or other is None or low is None or high is None:
        return _judged(None, None, None)
    return _judged(own - other, low - other, high - other)


def _judged(difference: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    verdict = INCONCLUSIVE
    if low is not None and high is not None:
        verdict = BETTER if low > 0 else WORSE if high < 0 else INCONCLUSIVE
    ends = {"difference_low": low, "difference_high": high}
    return {"difference": difference, **ends, "verdict": verdict}


def _paired(
    model: Predictions, other: Predictions, settings: IntervalSettings, rng: np.random.Generator
) -> dict[str, Any]:
    """The percentiles of the difference over resamples of whole groups, the same for both.

    With few positives they are too narrow, and a permutation test has to agree.
    """
    once = np.ones((1, len(model.targets)), np.float32)
    observed = float(_difference(model, other, once)[0])
    if np.isnan(observed):
        return _judged(None, None, None)
    resamples = row_weights(model.groups, model.targets, resamples=settings.num_bootstrap, rng=rng)
    drawn = np.concatenate([_difference(model, other, weights) for weights in resamples])
    tail = (1 - settings.confidence_level) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail]).tolist()
    found = _judged(observed, min(low, observed), max(high, observed))
    if found["verdict"] != INCONCLUSIVE and not _confirmed(model, other, settings, rng):
        found["verdict"] = INCONCLUSIVE
    return found


def _confirmed(
    model: Predictions, other: Predictions, settings: IntervalSettings, rng: np.random.Generator
) -> bool:
    positive = model.task.positive_index
    if positive is None:
        return True
    groups = np.arange(len(model.targets)) if model.groups is None else model.groups
    if len(np.unique(groups[model.targets == positive])) >= FEW_POSITIVES:
        return True
    p_values: Mapping[str, float] = permutation_tests(other, model, groups, rng=rng)
    return p_values[COMPARED_BY[True]] < 1 - settings.confidence_level


def _difference(model: Predictions, other: Predictions, weights: np.ndarray) -> np.ndarray:
    """The model's metric less the other's, (C,), under row ``weights`` (C, n)."""
    own, its = (_metric(outcome, weights) for outcome in (model, other))
    return np.asarray(np.subtract(own, its))


def _metric(outcome: Predictions, weights: np.ndarray) -> np.ndarray:
    positive = outcome.task.positive_index
    if positive is None:
        return _balanced_accuracy(outcome, weights)
    ranking = rank(outcome.scores[:, positive], outcome.targets == positive)
    size = ranking.num_levels
    counts = weighted_counts(ranking.level + size * ranking.positive, weights, 2 * size)
    return np.asarray(average_precision(counts[:, size:], counts[:, :size]))


def _balanced_accuracy(outcome: Predictions, weights: np.ndarray) -> np.ndarray:
    """The mean recall of the classes that the weights hold."""
    size = len(outcome.task.classes)
    right = (outcome.predicted == outcome.targets).astype(np.float32)
    total = weighted_counts(outcome.targets, weights, size)
    correct = weighted_counts(outcome.targets, weights * right, size)
    recalls = np.divide(correct, total, out=np.full(total.shape, np.nan), where=total > 0)
    return np.asarray(np.nanmean(recalls, axis=1))
