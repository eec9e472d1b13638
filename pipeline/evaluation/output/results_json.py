"""The contents of results.json, and the few numbers of them that metrics.json holds."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.assessment import Assessment
from raresight.pipeline.evaluation.decisions.cost_results import CostResults
from raresight.pipeline.evaluation.decisions.digits import shortest
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.goals import goal_results
from raresight.pipeline.evaluation.metrics.registry import shown
from raresight.pipeline.evaluation.uncertainty.effective import count_groups, has_groups
from raresight.pipeline.evaluation.uncertainty.estimates import as_dict
from raresight.pipeline.evaluation.uncertainty.outcomes import worth_of_classes


def to_results_json(result: EvaluationResult) -> dict[str, Any]:
    """The result as nested dicts of numbers, names and None: the contents of results.json.

    There are no lists, as DVC drops them; docs/evaluation.md says what each key means. The
    values of each class are under ``per_class``; their intervals are in the tables of the plots.
    """
    metrics: dict[str, Any] = {"positive": result.task.positive}
    for name, assessment in result.assessments.items():
        metrics[name] = as_dict(assessment.overall)
        if name in ("test", "perturbed", "val"):
            metrics[name]["per_class"] = _class_values(assessment)
    answer = result.outcomes["majority_baseline"].predicted[0]
    metrics["majority_baseline"]["answer"] = result.task.classes[answer]
    if result.task.positive is not None:
        metrics |= _deployment(result)
        metrics["negative"] = result.task.negative
        metrics["threshold"] = _threshold(result)
    if result.gain is not None:
        metrics["gain_over_baselines"] = {
            "baseline": result.gain.baseline,
            "metric": result.gain.metric,
            **as_dict({"gain": result.gain.gain}),
            **({} if result.gain.p is None else {"p": result.gain.p}),
        }
    if result.costs is not None:
        metrics["cost"] = _costs(result.costs)
    if result.params.goals:
        metrics["goals"] = goal_results(result)
    if result.folds is not None:
        metrics["validation"] = {"scores": "out_of_fold", "folds": result.folds}
    metrics["calibration"] = _calibration(result)
    metrics["slices"] = _slices(result)
    metrics["intervals"] = asdict(result.params.intervals)
    metrics["counts"] = {
        name: _class_counts(targets, result.task) for name, targets in result.targets.items()
    }
    if groups := _groups(result):
        metrics["groups"] = groups
    return metrics


# The short names of metrics.json for metrics of METRICS.
_SHORT = {"average_precision": "ap", "macro_average_precision": "macro_ap"}


def headline(results: Mapping[str, Any]) -> dict[str, float | None]:
    """The numbers that people compare, one level deep: the contents of metrics.json.

    From those of results.json; null where there is none. Few enough for one line of a terminal, so
    that `dvc exp show` is readable; the baselines are in results.json.
    """
    calibration = results["calibration"]
    known = {**calibration.get("calibrated", calibration["raw"]), **results["test"]}
    names = shown("headline", positive=results["positive"] is not None)
    found = {_SHORT.get(name, name): known[name] for name in names}
    if results["positive"] is not None:
        found["precision_deployed"] = results["deployment"]["model"]["precision"]
        found["threshold"] = results["threshold"]["model"]
    return found


def _deployment(result: EvaluationResult) -> dict[str, Any]:
    """``deployment`` at the first prevalence; where there are several, ``deployment_at`` each."""
    entries = {
        f"{prevalence:g}": {
            "prevalence": prevalence,
            "prevalence_is": "assumed" if result.params.prevalence_assumed else "stated",
            **{name: as_dict(figures) for name, figures in rows.items()},
        }
        for prevalence, rows in result.deployment.items()
    }
    first = {"deployment": next(iter(entries.values()))}
    return first | ({"deployment_at": entries} if len(entries) > 1 else {})


def _class_values(assessment: Assessment) -> dict[str, dict[str, float | None]]:
    return {
        label: {metric: estimate.value for metric, estimate in estimates.items()}
        for label, estimates in assessment.per_class.items()
    }


def _threshold(result: EvaluationResult) -> dict[str, Any]:
    rule, chosen = result.params.threshold, result.thresholds["model"]
    metrics: dict[str, Any] = {"name": rule.name}
    metrics |= {name: threshold.value for name, threshold in result.thresholds.items()}
    metrics["shown"] = _threshold_text(result)
    metrics |= {"objective": rule.objective, "val": chosen.score}
    metrics |= {"optimism": chosen.optimism, "positives": chosen.positives}
    optional = {
        "target": getattr(rule, "target", None),
        "target_confidence": chosen.confidence,
        "positives_needed": chosen.needed,
        "negatives_needed": chosen.negatives_needed,
        "prevalence": getattr(rule, "prevalence", None),
        "reason": chosen.reason,
    }
    if result.threshold_choice is not None:
        optional["with_choice"] = as_dict(result.threshold_choice)
    return metrics | {name: value for name, value in optional.items() if value is not None}


def _threshold_text(result: EvaluationResult) -> str:
    """The model's threshold in as few digits as decide the same about every image seen."""
    value, index = result.thresholds["model"].value, result.task.positive_index
    sets = [result.outcomes[name] for name in ("val", "test") if name in result.outcomes]
    return shortest(value, np.concatenate([one.scores[:, index] for one in sets]))


def _costs(costs: CostResults) -> dict[str, Any]:
    answer, cost = costs.always
    own = {"without_costs": costs.without_costs, "saved": costs.saved}
    return as_dict({**costs.by_outcome, **own}) | {"always": {"answer": answer, "cost": cost}}


def _calibration(result: EvaluationResult) -> dict[str, Any]:
    calibrator = result.calibrator
    return {
        "temperature": calibrator.temperature,
        "assumed_prior": _shares(calibrator.assumed, result.task),
        "prior": _shares(calibrator.prior, result.task),
    } | {name: as_dict(figures) for name, figures in result.calibration.items()}


def _shares(values: np.ndarray, task: Task) -> dict[str, float]:
    return dict(zip(task.classes, (values / values.sum()).tolist(), strict=True))


def _slices(result: EvaluationResult) -> dict[str, Any]:
    """How many slices each metric has, how many are significantly worse, and the worst of those."""
    level = 1 - result.params.confidence_level
    found: dict[str, Any] = {}
    for one in result.slices:  # worst first
        told = found.setdefault(one.metric, {"n_slices": 0, "n_significant": 0})
        told["n_slices"] += 1
        if one.p_adjusted is None or one.p_adjusted >= level:
            continue
        told["n_significant"] += 1
        if told["n_significant"] == 1:
            told["worst"] = one.name
            told |= {"value": one.estimate.value, "low": one.estimate.low}
            told |= {"high": one.estimate.high, "images": one.images, "groups": one.groups}
    return found


def _groups(result: EvaluationResult) -> dict[str, Any]:
    """How many groups the images of a set are of, in all and of each class.

    And ``independent``, how many independent images those of a class are worth, where so many are
    found as the model finds.
    """
    classes, found = result.task.classes, {}
    for name in ("val", "test"):
        outcome = result.outcomes.get(name)
        if outcome is None or not has_groups(outcome.groups):
            continue
        found[name] = {
            "total": count_groups(outcome.groups, outcome.targets >= 0),
            "per_class": {
                label: count_groups(outcome.groups, outcome.targets == index)
                for index, label in enumerate(classes)
            },
            "independent": {
                label: round(worth, 1)
                for label, worth in zip(classes, worth_of_classes(outcome).tolist(), strict=True)
            },
        }
    return found


def _class_counts(targets: np.ndarray, task: Task) -> dict[str, int]:
    counts = np.bincount(targets, minlength=len(task.classes))
    return dict(zip(task.classes, counts.tolist(), strict=True))
