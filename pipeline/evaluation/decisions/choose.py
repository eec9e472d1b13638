"""What is chosen on validation: thresholds, calibrations, and with them how scores are answered."""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.decisions.costs import Decision, decision, row_costs
from raresight.pipeline.evaluation.decisions.thresholds import Threshold, choose
from raresight.pipeline.evaluation.inputs import Evidence
from raresight.pipeline.evaluation.metrics.calibration import Calibrator, fit_calibrator
from raresight.pipeline.evaluation.params import EvaluateParams


def calibrator_of(evidence: Evidence) -> Calibrator:
    """The calibration that validation asks for."""
    scores, targets = evidence.model["val"], evidence.targets["val"]
    return fit_calibrator(scores, targets, assumed=evidence.assumed)


def threshold_of(
    scores: np.ndarray,
    evidence: Evidence,
    params: EvaluateParams,
    rng: np.random.Generator | None = None,
) -> Threshold | None:
    """The threshold by the rule of ``params`` from validation's ``scores`` (n, K).

    None without a positive class; with ``rng`` its optimism is estimated.
    """
    index, targets = evidence.task.positive_index, evidence.targets["val"]
    if index is None:
        return None
    return choose(
        params.threshold,
        scores[:, index],
        targets == index,
        costs=row_costs(params.threshold, evidence.task, scores, targets),
        rng=rng,
    )


def thresholds_of(evidence: Evidence, params: EvaluateParams) -> dict[str, Threshold]:
    """Those of ``model`` and ``shortcut``, with their optimism; none without a positive class."""
    if evidence.task.positive is None:
        return {}
    scores = {"model": evidence.model["val"], "shortcut": evidence.shortcut["val"]}
    return {
        name: threshold_of(on_val, evidence, params, rng=seeds.rng(params.seed, "threshold", name))
        for name, on_val in scores.items()
    }


def decisions_of(
    evidence: Evidence,
    params: EvaluateParams,
    thresholds: Mapping[str, Threshold],
    calibrator: Calibrator,
) -> dict[str, Decision]:
    """How the model and the shortcut answer, each by its own threshold and probabilities."""

    targets = evidence.targets["val"]

    def of_shortcut(scores: np.ndarray) -> np.ndarray:  # fitted only where costs ask for it
        return fit_calibrator(evidence.shortcut["val"], targets, assumed=None)(scores)

    return {
        name: decision(
            params.threshold,
            evidence.task,
            threshold=thresholds[name].value if name in thresholds else None,
            probabilities=probabilities,
        )
        for name, probabilities in (("model", calibrator), ("shortcut", of_shortcut))
    }
