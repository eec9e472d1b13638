"""Scores from elsewhere, judged as our own are, as far as scores alone tell."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.assessment import assess, assess_chance, assess_majority
from raresight.pipeline.evaluation.baselines.constant import guesses, majority
from raresight.pipeline.evaluation.decisions.calibrate_and_threshold import threshold_on
from raresight.pipeline.evaluation.decisions.cost_results import CostResults, cost_results
from raresight.pipeline.evaluation.decisions.costs import decision, mistake_costs
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task, predict_labels
from raresight.pipeline.evaluation.decisions.thresholds import Threshold
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.metrics.calibration import (
    Calibrator,
    calibration_figures,
    fit_calibrator,
)
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.evaluation.params import EvaluateParams, LowestCost
from raresight.pipeline.evaluation.predictions_table import PredictionsTable
from raresight.pipeline.evaluation.prevalence import by_chance, deploy, reweight_to_prevalence
from raresight.pipeline.evaluation.prior_shift import estimate_shares
from raresight.pipeline.evaluation.slices import Slice, slice_results
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
    sets = {"test": test} if val is None else {"val": val, "test": test}
    equal = np.ones(len(task.classes))
    return EvaluationResult(
        task=task,
        params=params,
        targets={name: predictions.labels for name, predictions in sets.items()},
        outcomes={"test": outcome, "majority_baseline": always},
        assessments={
            "test": assess(outcome, settings=settings, rng=seeds.rng(params.seed, "judge", "")),
            "random_baseline": assess_chance(guesses(task, test.labels, seen=seen), task),
            "majority_baseline": assess_majority(always, settings),
        },
        thresholds={} if threshold is None else {"model": threshold},
        costs=_costs(outcome, seen, params),
        deployment=_deployment(outcome, seen, params),
        calibrator=Calibrator(assumed=equal, prior=equal),
        calibration={"raw": _calibration(test, task, params)},
        slices=_slices(outcome, test, params),
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


def _calibration(test: PredictionsTable, task: Task, params: EvaluateParams) -> dict[str, Estimate]:
    return calibration_figures(
        test.scores,
        test.labels,
        task.positive_index,
        bins=params.calibration_bins,
        settings=params.intervals,
        groups=test.groups,
    )


def _slices(
    outcome: Predictions, test: PredictionsTable, params: EvaluateParams
) -> tuple[Slice, ...]:
    return slice_results(
        outcome,
        None,
        test.factors,
        bins=params.slices.bins,
        min_images=params.slices.min_images,
        settings=params.intervals,
    )


def _probabilities(val: PredictionsTable | None) -> Callable[[np.ndarray], np.ndarray]:
    """Scores made right on validation; without it they are taken for probabilities."""
    if val is None:
        return lambda scores: scores
    return lambda scores: fit_calibrator(val.scores, val.labels, assumed=None)(scores)


def _costs(outcome: Predictions, seen: np.ndarray, params: EvaluateParams) -> CostResults | None:
    if outcome.task.positive is not None or not isinstance(params.threshold, LowestCost):
        return None
    costs = mistake_costs(params.threshold, outcome.task.classes)
    rng = seeds.rng(params.seed, "evaluate", "cost")
    return cost_results({"test": outcome}, costs, seen, settings=params.intervals, rng=rng)


def _deployment(
    outcome: Predictions, seen: np.ndarray, params: EvaluateParams
) -> dict[float, dict[str, dict[str, Estimate]]]:
    task = outcome.task
    if task.positive is None:
        return {}
    share = float((seen == task.positive_index).mean())
    return {
        prevalence: {
            "model": deploy(
                outcome,
                prevalence=prevalence,
                settings=params.intervals,
                rng=seeds.rng(params.seed, "deployment", "model"),
            ),
            "random_baseline": by_chance(share, prevalence, positive=task.positive),
            "always_negative": by_chance(0.0, prevalence, positive=task.positive),
        }
        for prevalence in params.prevalences
    }


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
