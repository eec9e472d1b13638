"""The contents of metrics.json."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.assessment import Assessment
from raresight.pipeline.evaluation.decisions.cost_results import CostResults
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.evaluate import Study
from raresight.pipeline.evaluation.uncertainty.estimates import as_dict

# What each threshold rule is about.
_OBJECTIVES: Mapping[str, str] = {
    "max_f1": "f1",
    "recall": "recall",
    "precision": "precision",
    "cost": "cost",
}


def as_metrics(study: Study) -> dict[str, Any]:
    """The study as nested dicts of numbers, names and None: the contents of metrics.json.

    There are no lists, as DVC drops them; docs/evaluation.md says what each key means. The
    values of each class are under ``per_class``; their intervals are in the tables of the plots.
    """
    metrics: dict[str, Any] = {"positive": study.task.positive}
    for name, assessment in study.assessments.items():
        metrics[name] = as_dict(assessment.overall)
        if name in ("test", "perturbed", "val"):
            metrics[name]["per_class"] = _class_values(assessment)
    answer = study.outcomes["majority"].predicted[0]
    metrics["majority"]["answer"] = study.task.classes[answer]
    if study.task.positive is not None:
        metrics |= _deployment(study)
        metrics["negative"] = study.task.negative
        metrics["threshold"] = _threshold(study)
    if study.costs is not None:
        metrics["cost"] = _costs(study.costs)
    metrics["calibration"] = _calibration(study)
    metrics["slices"] = _slices(study)
    metrics["confidence"] = study.params.confidence_level
    metrics["counts"] = {
        name: _class_counts(targets, study.task) for name, targets in study.targets.items()
    }
    return metrics


def _deployment(study: Study) -> dict[str, Any]:
    """``deployment`` at the first prevalence; where there are several, ``deployment_at`` each."""
    entries = {
        f"{prevalence:g}": {
            "prevalence": prevalence,
            **{name: as_dict(figures) for name, figures in rows.items()},
        }
        for prevalence, rows in study.deployment.items()
    }
    first = {"deployment": next(iter(entries.values()))}
    return first | ({"deployment_at": entries} if len(entries) > 1 else {})


def _class_values(assessment: Assessment) -> dict[str, dict[str, float | None]]:
    return {
        label: {metric: estimate.value for metric, estimate in estimates.items()}
        for label, estimates in assessment.per_class.items()
    }


def _threshold(study: Study) -> dict[str, Any]:
    rule, chosen = study.params.threshold, study.thresholds["model"]
    metrics: dict[str, Any] = {"rule": rule.name}
    metrics |= {name: threshold.value for name, threshold in study.thresholds.items()}
    metrics |= {"objective": _OBJECTIVES[rule.name], "val": chosen.score}
    metrics |= {"optimism": chosen.optimism, "positives": chosen.positives}
    optional = {
        "target": getattr(rule, "target", None),
        "target_confidence": chosen.confidence,
        "positives_needed": chosen.needed,
        "prevalence": getattr(rule, "prevalence", None),
        "reason": chosen.reason,
    }
    return metrics | {name: value for name, value in optional.items() if value is not None}


def _costs(costs: CostResults) -> dict[str, Any]:
    answer, cost = costs.always
    own = {"without_costs": costs.without_costs, "saved": costs.saved}
    return as_dict({**costs.by_outcome, **own}) | {"always": {"answer": answer, "cost": cost}}


def _calibration(study: Study) -> dict[str, Any]:
    calibrator = study.calibrator
    return {
        "temperature": calibrator.temperature,
        "assumed_prior": _shares(calibrator.assumed, study.task),
        "prior": _shares(calibrator.prior, study.task),
    } | {name: as_dict(figures) for name, figures in study.calibration.items()}


def _shares(values: np.ndarray, task: Task) -> dict[str, float]:
    return dict(zip(task.classes, (values / values.sum()).tolist(), strict=True))


def _slices(study: Study) -> dict[str, Any]:
    """The worst slice of each metric, how many were looked at, and how many stand out."""
    found: dict[str, Any] = {}
    for one in study.slices:  # worst first
        worst = found.setdefault(one.metric, {"looked_at": 0, "stand_out": 0})
        worst["looked_at"] += 1
        surely = one.p_adjusted is not None and one.p_adjusted < 1 - study.params.confidence_level
        worst["stand_out"] += surely
        if worst["looked_at"] == 1:
            worst["worst"] = one.name
            worst |= {"value": one.estimate.value, "low": one.estimate.low}
            worst |= {"high": one.estimate.high, "images": one.images}
    return found


def _class_counts(targets: np.ndarray, task: Task) -> dict[str, int]:
    counts = np.bincount(targets, minlength=len(task.classes))
    return dict(zip(task.classes, counts.tolist(), strict=True))
