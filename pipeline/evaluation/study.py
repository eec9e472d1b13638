"""The whole judgement of a model: its outcomes, beside the baselines, at two prevalences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.core import seeds
from pipeline.evaluation.assessment import Assessment, Bootstrap, assess
from pipeline.evaluation.baselines import majority
from pipeline.evaluation.estimates import Estimate, as_dict
from pipeline.evaluation.intervals import wilson
from pipeline.evaluation.outcome import Outcome, Task, answer
from pipeline.evaluation.params import EvaluateParams
from pipeline.evaluation.prevalence import always_negative, deploy
from pipeline.evaluation.thresholds import Threshold, choose


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a judgement is based on.

    ``targets`` holds class indices, int (n,), of ``train``, ``val`` and ``test`` originals.
    ``model`` holds scores, float (n, K), on ``val``, ``test`` and ``perturbed`` (the test images,
    in the same order, perturbed); ``shortcut`` the shortcut probe's on ``val`` and ``test``.
    """

    task: Task
    targets: Mapping[str, np.ndarray]
    model: Mapping[str, np.ndarray]
    shortcut: Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Study:
    """A judgement: outcomes and assessments by name, in the order they are to be read.

    The names are ``test``, ``perturbed``, ``shortcut``, ``majority`` and ``val``. ``thresholds``
    (of ``model`` and ``shortcut``) and ``deployment`` (by prevalence, then by ``model`` and
    ``always_negative``) are empty without a positive class.
    """

    task: Task
    params: EvaluateParams
    targets: Mapping[str, np.ndarray]
    outcomes: Mapping[str, Outcome]
    assessments: Mapping[str, Assessment]
    thresholds: Mapping[str, Threshold]
    deployment: Mapping[float, Mapping[str, Mapping[str, Estimate]]]


def judge(evidence: Evidence, params: EvaluateParams) -> Study:
    """Choose thresholds on validation, then judge the model and the baselines.

    Raises DataError when validation has no image of the positive class.
    """
    task = evidence.task
    thresholds = _thresholds(evidence, params)
    outcomes = _outcomes(evidence, {name: chosen.value for name, chosen in thresholds.items()})
    bootstrap = Bootstrap(confidence=params.confidence, resamples=params.resamples)
    assessments = {
        name: assess(outcome, bootstrap=bootstrap, rng=seeds.rng(params.seed, "evaluate", name))
        for name, outcome in outcomes.items()
        if name in ("test", "perturbed", "shortcut")
    }
    assessments["majority"] = _assess_majority(outcomes["majority"], params.confidence)
    # The threshold was chosen on these images, so an interval would promise too much.
    assessments["val"] = assess(outcomes["val"])
    return Study(
        task=task,
        params=params,
        targets=evidence.targets,
        outcomes=outcomes,
        assessments=assessments,
        thresholds=thresholds,
        deployment=_deployment(outcomes["test"], params, bootstrap),
    )


def _thresholds(evidence: Evidence, params: EvaluateParams) -> dict[str, Threshold]:
    index = evidence.task.positive_index
    if index is None:
        return {}
    positive = evidence.targets["val"] == index
    scores = {"model": evidence.model["val"], "shortcut": evidence.shortcut["val"]}
    return {name: choose(params.threshold, s[:, index], positive) for name, s in scores.items()}


def _outcomes(evidence: Evidence, thresholds: Mapping[str, float]) -> dict[str, Outcome]:
    task, targets = evidence.task, evidence.targets
    model, shortcut = thresholds.get("model"), thresholds.get("shortcut")
    return {
        "test": answer(task, targets["test"], evidence.model["test"], threshold=model),
        "perturbed": answer(task, targets["test"], evidence.model["perturbed"], threshold=model),
        "shortcut": answer(task, targets["test"], evidence.shortcut["test"], threshold=shortcut),
        "majority": majority(task, targets["test"], seen=targets["train"]),
        "val": answer(task, targets["val"], evidence.model["val"], threshold=model),
    }


def _assess_majority(outcome: Outcome, confidence: float) -> Assessment:
    """Its accuracy depends on which images the test set happens to hold; the rest is certain."""
    plain = assess(outcome)
    right = int((outcome.predicted == outcome.targets).sum())
    low, high = wilson(right, len(outcome.targets), confidence=confidence)
    accuracy = Estimate(value=right / len(outcome.targets), low=low, high=high)
    return Assessment(overall={**plain.overall, "accuracy": accuracy}, per_class=plain.per_class)


def _deployment(
    test: Outcome, params: EvaluateParams, bootstrap: Bootstrap
) -> dict[float, dict[str, dict[str, Estimate]]]:
    if test.task.positive is None:
        return {}
    return {
        prevalence: {
            # One stream for all, so that a prevalence added to the list changes no other's figures.
            "model": deploy(
                test,
                prevalence=prevalence,
                bootstrap=bootstrap,
                rng=seeds.rng(params.seed, "evaluate", "deployment"),
            ),
            "always_negative": always_negative(prevalence),
        }
        for prevalence in params.prevalences
    }


def as_metrics(study: Study) -> dict[str, Any]:
    """The study as nested dicts of numbers, names and None: the contents of metrics.json.

    There are no lists, as DVC drops them. The values of each class are under ``per_class``; their
    intervals, and those of the baselines, are in :func:`pipeline.evaluation.plots.tables`.
    """
    metrics: dict[str, Any] = {"positive": study.task.positive}
    for name, assessment in study.assessments.items():
        metrics[name] = as_dict(assessment.overall)
        if name not in ("shortcut", "majority"):
            metrics[name]["per_class"] = _class_values(assessment)
    answer = study.outcomes["majority"].predicted[0]
    metrics["majority"]["answer"] = study.task.classes[answer]
    if study.task.positive is not None:
        metrics |= _deployment_metrics(study)
        metrics["negative"] = study.task.negative
        metrics["threshold"] = _threshold_metrics(study)
    metrics["confidence"] = study.params.confidence
    metrics["counts"] = {
        name: _class_counts(targets, study.task) for name, targets in study.targets.items()
    }
    return metrics


def _deployment_metrics(study: Study) -> dict[str, Any]:
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


def _threshold_metrics(study: Study) -> dict[str, Any]:
    rule = study.params.threshold
    metrics: dict[str, Any] = {"rule": rule.rule}
    metrics |= {name: chosen.value for name, chosen in study.thresholds.items()}
    if rule.target is not None:
        confidence = study.thresholds["model"].confidence
        metrics |= {"target": rule.target, "target_confidence": confidence}
    return metrics


def _class_counts(targets: np.ndarray, task: Task) -> dict[str, int]:
    counts = np.bincount(targets, minlength=len(task.classes))
    return dict(zip(task.classes, counts.tolist(), strict=True))
