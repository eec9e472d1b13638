"""What is chosen on validation: thresholds, calibrations, and with them how scores are answered."""

from collections.abc import Callable, Mapping

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.baselines.registry import stream
from raresight.pipeline.evaluation.decisions.costs import Decision, decision, row_costs
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.decisions.thresholds import Threshold, choose, choose_again
from raresight.pipeline.evaluation.inputs import EvaluationInputs
from raresight.pipeline.evaluation.metrics.calibration import Calibrator, fit_calibrator
from raresight.pipeline.evaluation.params import EvaluateParams, ThresholdRule
from raresight.pipeline.evaluation.uncertainty.resampling import by_appearance, row_weights


def calibrator_of(inputs: EvaluationInputs) -> Calibrator:
    """The calibration that validation asks for."""
    scores, targets = inputs.model["val"], inputs.targets["val"]
    return fit_calibrator(scores, targets, assumed=inputs.assumed)


def threshold_of(
    scores: np.ndarray,
    inputs: EvaluationInputs,
    params: EvaluateParams,
    rng: np.random.Generator | None = None,
) -> Threshold | None:
    """The threshold by the rule of ``params`` from validation's ``scores`` (n, K).

    None without a positive class; with ``rng`` its optimism is estimated.
    """
    targets, groups = inputs.targets["val"], inputs.groups.get("val")
    return threshold_on(scores, targets, inputs.task, params, groups=groups, rng=rng)


def threshold_on(
    scores: np.ndarray,
    targets: np.ndarray,
    task: Task,
    params: EvaluateParams,
    *,
    groups: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
) -> Threshold | None:
    """The same from ``targets`` (n,) and ``groups`` (n,) of any labelled set."""
    index = task.positive_index
    if index is None:
        return None
    # In the order of the scores, so that the optimism depends on no other order of the rows.
    order = np.argsort(-scores[:, index], kind="stable")
    scores, targets = scores[order], targets[order]
    positive = targets == index
    resamples = None
    groups = None if groups is None else by_appearance(groups[order])
    if rng is not None:
        number = params.intervals.num_for_moments
        resamples = row_weights(groups, positive.astype(int), resamples=number, rng=rng)
    return choose(
        params.threshold,
        scores[:, index],
        positive,
        costs=row_costs(params.threshold, task, scores, targets),
        resamples=resamples,
        groups=groups,
    )


def chosen_again(
    rule: ThresholdRule,
    scores: np.ndarray,
    targets: np.ndarray,
    task: Task,
    *,
    groups: np.ndarray | None,
    resamples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """The threshold that ``rule`` chooses on each resample of a labelled set, float (R,)."""
    index = task.positive_index
    assert index is not None  # else there is no threshold
    groups = np.arange(len(targets)) if groups is None else groups
    return choose_again(
        rule,
        scores[:, index],
        targets == index,
        row_weights(groups, targets, resamples=resamples, rng=rng),
        costs=row_costs(rule, task, scores, targets),
    )


def thresholds_of(inputs: EvaluationInputs, params: EvaluateParams) -> dict[str, Threshold]:
    """Those of ``model`` and each baseline, with their optimism; none without a positive class."""
    found = {}
    scores = {"model": inputs.model["val"]}
    scores |= {name: found["val"] for name, found in inputs.baselines.items()}
    for name, on_val in scores.items():
        rng = seeds.rng(params.seed, "threshold", stream(name))
        if (chosen := threshold_of(on_val, inputs, params, rng=rng)) is not None:
            found[name] = chosen
    return found


def decisions_of(
    inputs: EvaluationInputs,
    params: EvaluateParams,
    thresholds: Mapping[str, Threshold],
    calibrator: Calibrator,
) -> dict[str, Decision]:
    """How the model and each baseline answer, by thresholds and probabilities of their own."""

    targets = inputs.targets["val"]

    def of_baseline(name: str) -> Callable[[np.ndarray], np.ndarray]:
        on_val = inputs.baselines[name]["val"]  # fitted only where costs ask for it
        return lambda scores: fit_calibrator(on_val, targets, assumed=None)(scores)

    by_name = {"model": calibrator} | {name: of_baseline(name) for name in inputs.baselines}

    return {
        name: decision(
            params.threshold,
            inputs.task,
            threshold=thresholds[name].value if name in thresholds else None,
            probabilities=probabilities,
        )
        for name, probabilities in by_name.items()
    }
