"""The parts of a judgement that scores alone tell, wherever the scores come from."""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.baselines.registry import stream
from raresight.pipeline.evaluation.decisions.calibrate_and_threshold import chosen_again
from raresight.pipeline.evaluation.decisions.cost_results import CostResults, cost_results
from raresight.pipeline.evaluation.decisions.costs import mistake_costs
from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.decisions.threshold_choice import with_threshold_choice
from raresight.pipeline.evaluation.metrics.calibration import calibration_figures
from raresight.pipeline.evaluation.params import EvaluateParams, LowestCost
from raresight.pipeline.evaluation.prevalence import by_chance, deploy
from raresight.pipeline.evaluation.slices import Slice, slice_results
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate

Deployment = dict[float, dict[str, dict[str, Estimate]]]


def deployment_of(
    rows: Mapping[str, Predictions], seen: np.ndarray, params: EvaluateParams
) -> Deployment:
    """The figures of each of ``rows``, and of two answers that look at nothing, by prevalence.

    ``seen``, int (n,), are the classes by whose shares one of those guesses. Empty without a
    positive class.
    """
    task = next(iter(rows.values())).task
    if task.positive is None:
        return {}
    share = float((seen == task.positive_index).mean())
    found: Deployment = {}
    for prevalence in params.prevalences:
        found[prevalence] = {
            name: deploy(
                outcome,
                prevalence=prevalence,
                settings=params.intervals,
                # One stream for all, so that a prevalence more changes no other's figures.
                rng=seeds.rng(params.seed, "deployment", stream(name)),
            )
            for name, outcome in rows.items()
        }
        found[prevalence]["random_baseline"] = by_chance(share, prevalence, positive=task.positive)
        found[prevalence]["always_negative"] = by_chance(0.0, prevalence, positive=task.positive)
    return found


def costs_of(
    outcomes: Mapping[str, Predictions], seen: np.ndarray, params: EvaluateParams
) -> CostResults | None:
    """What mistakes cost where costs decide without a positive class; ``seen`` as above."""
    task = next(iter(outcomes.values())).task
    if task.positive is not None or not isinstance(params.threshold, LowestCost):
        return None
    return cost_results(
        outcomes,
        mistake_costs(params.threshold, task.classes),
        seen,
        settings=params.intervals,
        rng=seeds.rng(params.seed, "evaluate", "cost"),
    )


def calibration_of(
    probabilities: np.ndarray, outcome: Predictions, params: EvaluateParams
) -> dict[str, Estimate]:
    """How far ``probabilities`` (n, K) of the images of ``outcome`` are right."""
    return calibration_figures(
        probabilities,
        outcome.targets,
        outcome.task.positive_index,
        bins=params.calibration_bins,
        settings=params.intervals,
        groups=outcome.groups,
    )


def slices_of(
    outcome: Predictions,
    perturbed: Predictions | None,
    factors: Mapping[str, np.ndarray],
    params: EvaluateParams,
) -> tuple[Slice, ...]:
    """The parts of the test set by each of ``factors``, (n,) each."""
    return slice_results(
        outcome,
        perturbed,
        factors,
        bins=params.slices.bins,
        min_images=params.slices.min_images,
        settings=params.intervals,
    )


def threshold_choice_of(
    outcome: Predictions,
    given: Mapping[str, Estimate],
    decided_on: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    params: EvaluateParams,
) -> dict[str, Estimate]:
    """Intervals on ``outcome`` that hold the choice of the threshold.

    ``decided_on`` are the scores (n, K), the classes (n,) and the groups (n,) of the set that it
    was chosen on, ``given`` the estimates at the one that was.
    """
    scores, targets, groups = decided_on
    thresholds = chosen_again(
        params.threshold,
        scores,
        targets,
        outcome.task,
        groups=groups,
        resamples=params.intervals.num_for_moments,
        rng=seeds.rng(params.seed, "threshold", "choice"),
    )
    return with_threshold_choice(
        outcome,
        given,
        thresholds,
        settings=params.intervals,
        rng=seeds.rng(params.seed, "threshold", "choice on test"),
    )
