"""What metrics.json says where the recipe was trained several times."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.evaluation.estimates import Estimate
from pipeline.evaluation.params import EvaluateParams
from pipeline.evaluation.replicates import SETS, Replicate, figures_of
from pipeline.training.replicates import summary


def as_metrics(
    trainings: Sequence[Replicate], seeds: Sequence[int], params: EvaluateParams
) -> dict[str, Any]:
    """Mean, spread and each training's value of every metric; empty for a single training.

    What is undefined has its reason under ``undefined``, by metric and training.
    """
    if len(trainings) == 1:
        return {}
    told: dict[str, Any] = {"trainings": len(trainings)}
    told["seeds"] = {str(number): seed for number, seed in enumerate(seeds, 1)}
    told |= summary([_chosen(training) for training in trainings])
    for name in SETS:
        found = [figures_of(training, name, params) for training in trainings]
        told[name] = summary([{key: one.value for key, one in row.items()} for row in found])
        if reasons := _reasons(found):
            told[name]["undefined"] = reasons
    return {"replicates": told}


def _chosen(training: Replicate) -> dict[str, float]:
    """What was chosen on validation."""
    chosen = {"temperature": training.calibrator.temperature}
    if training.threshold is not None:
        chosen["threshold"] = training.threshold.value
    return chosen


def _reasons(found: Sequence[Mapping[str, Estimate]]) -> dict[str, dict[str, str]]:
    reasons: dict[str, dict[str, str]] = {}
    for number, figures in enumerate(found, 1):
        for metric, estimate in figures.items():
            if estimate.reason is not None:
                reasons.setdefault(metric, {})[str(number)] = estimate.reason
    return reasons
