"""Scores from elsewhere, judged as our own are, as far as scores alone tell."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.assessment import assess, assess_chance, assess_majority
from raresight.pipeline.evaluation.baselines import guesses, majority
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
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.predictions_table import PredictionsTable
from raresight.pipeline.evaluation.prevalence import by_chance, deploy, reweight_to_prevalence
from raresight.pipeline.evaluation.prior_shift import estimate_shares
from raresight.pipeline.evaluation.slices import slice_results
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate, as_dict
from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS
from raresight.pipeline.evaluation.uncertainty.methods import Bootstrap
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
    are no perturbed images and no shortcut probe, as there are no images.
    """
    decide = decision(
        params.threshold,
        task,
        threshold=None if threshold is None else threshold.value,
        probabilities=_probabilities(val),
    )
    outcome = predict_labels(task, test.targets, test.scores, decide=decide, groups=test.groups)
    seen = (test if val is None else val).targets
    always = majority(task, test.targets, seen=seen)
    bootstrap = Bootstrap(
        confidence=params.confidence_level,
        resamples=params.num_bootstrap,
        proportions=params.proportion_interval,
    )
    sets = {"test": test} if val is None else {"val": val, "test": test}
    figures = calibration_figures(
        test.scores,
        test.targets,
        task.positive_index,
        bins=params.calibration_bins,
        confidence=params.confidence_level,
    )
    equal = np.ones(len(task.classes))
    return EvaluationResult(
        task=task,
        params=params,
        targets={name: predictions.targets for name, predictions in sets.items()},
        outcomes={"test": outcome, "majority_baseline": always},
        assessments={
            "test": assess(outcome, bootstrap=bootstrap, rng=seeds.rng(params.seed, "judge", "")),
            "random_baseline": assess_chance(guesses(task, test.targets, seen=seen), task),
            "majority_baseline": assess_majority(always, bootstrap),
        },
        thresholds={} if threshold is None else {"model": threshold},
        costs=_costs(outcome, seen, params, bootstrap),
        deployment=_deployment(outcome, seen, params, bootstrap),
        calibrator=Calibrator(assumed=equal, prior=equal),
        calibration={"raw": figures},
        slices=slice_results(
            outcome,
            None,
            test.factors,
            bins=params.slices.bins,
            min_images=params.slices.min_images,
            interval=partial(
                PROPORTIONS[params.proportion_interval], confidence=params.confidence_level
            ),
        ),
    )


def _probabilities(val: PredictionsTable | None) -> Callable[[np.ndarray], np.ndarray]:
    """Scores made right on validation; without it they are taken for probabilities."""
    if val is None:
        return lambda scores: scores
    return lambda scores: fit_calibrator(val.scores, val.targets, assumed=None)(scores)


def _costs(
    outcome: Predictions, seen: np.ndarray, params: EvaluateParams, bootstrap: Bootstrap
) -> CostResults | None:
    if outcome.task.positive is not None or params.threshold.name != "cost":
        return None
    costs = mistake_costs(params.threshold, outcome.task.classes)
    rng = seeds.rng(params.seed, "evaluate", "cost")
    return cost_results({"test": outcome}, costs, seen, bootstrap=bootstrap, rng=rng)


def _deployment(
    outcome: Predictions, seen: np.ndarray, params: EvaluateParams, bootstrap: Bootstrap
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
                bootstrap=bootstrap,
                rng=seeds.rng(params.seed, "deployment", "model"),
            ),
            "random_baseline": by_chance(share, prevalence),
            "always_negative": by_chance(0.0, prevalence),
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
    if len(np.unique(labelled.targets)) < size:
        raise DataError(
            "the class shares of the unlabelled images can only be estimated with labelled images "
            f"of every class: {', '.join(result.task.classes)}."
        )
    confidence = result.params.confidence_level
    shares, ends = estimate_shares(
        labelled.scores,
        labelled.targets,
        target.scores,
        target.groups,
        confidence=confidence,
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
    return found | {"model": as_dict(_carried(result, prevalence))}


def _carried(result: EvaluationResult, prevalence: Estimate) -> dict[str, Estimate]:
    (right, alarms), (missed, hit) = result.task.focus(result.outcomes["test"].confusion).tolist()
    at = [
        reweight_to_prevalence(
            found=(hit, hit + missed),
            cleared=(right, right + alarms),
            prevalence=min(max(share, 1e-9), 1 - 1e-9),
            confidence=result.params.confidence_level,
            proportions=result.params.proportion_interval,
        )
        for share in (prevalence.value, prevalence.low, prevalence.high)
    ]
    joined = {}
    for name, estimate in at[0].items():
        known = [one[name] for one in at if one[name].interval]
        if estimate.interval is None:
            joined[name] = estimate
        else:
            low, high = min(one.low for one in known), max(one.high for one in known)
            joined[name] = Estimate(value=estimate.value, low=low, high=high)
    return joined
