"""Scores from elsewhere, judged as our own are, as far as scores alone tell."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.assessment import assess, assess_chance, assess_majority
from raresight.pipeline.evaluation.baselines.constant import guesses, majority
from raresight.pipeline.evaluation.decisions.calibrate_and_threshold import threshold_on
from raresight.pipeline.evaluation.decisions.costs import decision
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.decisions.thresholds import Threshold
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.metrics.calibration import (
    Calibrator,
    fit_calibrator,
)
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.parts import (
    calibration_of,
    costs_of,
    deployment_of,
    slices_of,
    threshold_choice_of,
)
from raresight.pipeline.evaluation.predictions_table import PredictionsTable
from raresight.pipeline.evaluation.prevalence import reweight_to_prevalence
from raresight.pipeline.evaluation.prior_shift import estimate_shares
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate, as_dict
from raresight.pipeline.evaluation.uncertainty.outcomes import worth_of_kinds
from raresight.pipeline.runtime.errors import DataError


def evaluate_scores(
    task: Task,
    test: PredictionsTable,
    val: PredictionsTable | None,
    threshold: Threshold | None,
    params: EvaluateParams,
) -> EvaluationResult:
    """The judgement of ``test``, beside answers that look at nothing.

    Those guess as ``val`` has the classes, or as ``test`` has where there is no validation. There
    are no perturbed images and no fitted baselines, as there are no images.
    """
    decide = decision(
        params.threshold,
        task,
        threshold=None if threshold is None else threshold.value,
        probabilities=_probabilities(val),
    )
    outcome = predict_labels(task, test.labels, test.scores, decide=decide, groups=test.groups)
    seen = (test if val is None else val).labels
    always = majority(task, test.labels, seen=seen, groups=test.groups)
    settings = params.intervals
    assessed = assess(outcome, settings=settings, rng=seeds.rng(params.seed, "judge", ""))
    sets = {"test": test} if val is None else {"val": val, "test": test}
    equal = np.ones(len(task.classes))
    return EvaluationResult(
        task=task,
        params=params,
        targets={name: predictions.labels for name, predictions in sets.items()},
        outcomes={"test": outcome, "majority_baseline": always},
        assessments={
            "test": assessed,
            "random_baseline": assess_chance(guesses(task, test.labels, seen=seen), task),
            "majority_baseline": assess_majority(always, settings),
        },
        thresholds={} if threshold is None else {"model": threshold},
        costs=costs_of({"test": outcome}, seen, params),
        deployment=deployment_of({"model": outcome}, seen, params),
        calibrator=Calibrator(assumed=equal, prior=equal),
        calibration={"raw": calibration_of(test.scores, outcome, params)},
        slices=slices_of(outcome, None, test.factors, params),
        threshold_choice=None
        if val is None or task.positive is None or threshold is None or not threshold.positives
        else threshold_choice_of(
            outcome, assessed.overall, (val.scores, val.labels, val.groups), params
        ),
    )


def stated_threshold(value: float) -> Threshold:
    """A threshold that somebody named; nothing was chosen on any scores."""
    return Threshold(value=value, score=float("nan"), positives=0)


def chosen_threshold(task: Task, val: PredictionsTable, params: EvaluateParams) -> Threshold | None:
    """The threshold that the params' rule asks for on ``val``; None without a positive class."""
    rng = seeds.rng(params.seed, "threshold", "model")
    return threshold_on(val.scores, val.labels, task, params, groups=val.groups, rng=rng)


def to_external_json(result: EvaluationResult, *, stated: float | None) -> dict[str, Any]:
    """The contents of results.json, as far as scores alone tell; ``stated`` is the named threshold,
    None where it was chosen or there is none.
    """
    results = to_results_json(result)
    results["calibration"] = {"raw": results["calibration"]["raw"]}  # nothing was calibrated
    if stated is not None:
        results["threshold"] = {"name": "stated", "model": stated}
    return results


def _probabilities(val: PredictionsTable | None) -> Callable[[np.ndarray], np.ndarray]:
    """Scores made right on validation; without it they are taken for probabilities."""
    if val is None:
        return lambda scores: scores
    return lambda scores: fit_calibrator(val.scores, val.labels, assumed=None)(scores)


def at_target(
    result: EvaluationResult, labelled: PredictionsTable, target: PredictionsTable
) -> dict[str, Any]:
    """What is in the unlabelled images of ``target``, and what the model is worth among them.

    The class shares are estimated from the scores (see
    :mod:`raresight.pipeline.evaluation.prior_shift`); ``labelled`` tells how scores and classes go
    together. The figures are those at the estimated prevalence, with intervals that hold its own:
    the ends of the figures at its ends.
    """
    size = len(result.task.classes)
    if len(np.unique(labelled.labels)) < size:
        raise DataError(
            "the class shares of the unlabelled images can only be estimated with labelled images "
            f"of every class: {', '.join(result.task.classes)}."
        )
    shares, ends = estimate_shares(
        labelled.scores,
        labelled.labels,
        target.scores,
        target.groups,
        settings=result.params.intervals,
        rng=seeds.rng(result.params.seed, "target", "shares"),
    )
    estimates = {
        label: Estimate(value=float(value), low=float(low), high=float(high))
        for label, value, low, high in zip(result.task.classes, shares, *ends, strict=True)
    }
    found: dict[str, Any] = {"images": len(target.ids), "shares": as_dict(estimates)}
    if result.task.positive is None:
        return found
    prevalence = estimates[result.task.positive]
    return found | {"model": as_dict(_at_estimated(result, result.task.positive, prevalence))}


def _at_estimated(
    result: EvaluationResult, positive: str, prevalence: Estimate
) -> dict[str, Estimate]:
    """The figures at an estimated prevalence: their ends are those at its ends."""
    at = [
        reweight_to_prevalence(
            result.task.focus(result.outcomes["test"].confusion),
            prevalence=min(max(share, 1e-9), 1 - 1e-9),
            positive=positive,
            settings=result.params.intervals,
            worth=worth_of_kinds(result.outcomes["test"]),
        )
        for share in (prevalence.value, prevalence.low, prevalence.high)
        if share is not None
    ]
    joined = {}
    for name, estimate in at[0].items():
        ends = [one[name].interval for one in at]
        known = [pair for pair in ends if pair is not None]
        if estimate.interval is None:
            joined[name] = estimate
        else:
            low, high = min(low for low, _ in known), max(high for _, high in known)
            joined[name] = replace(estimate, low=low, high=high)
    return joined
