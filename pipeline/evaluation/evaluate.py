"""The whole judgement of a model: its outcomes, beside the baselines, at two prevalences."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.assessment import (
    Assessment,
    assess,
    assess_chance,
    assess_majority,
    assess_values,
)
from raresight.pipeline.evaluation.baselines.constant import guesses, majority
from raresight.pipeline.evaluation.baselines.gain import Gain, gain_over
from raresight.pipeline.evaluation.baselines.registry import stream
from raresight.pipeline.evaluation.decisions.calibrate_and_threshold import (
    calibrator_of,
    decisions_of,
    thresholds_of,
)
from raresight.pipeline.evaluation.decisions.cost_results import CostResults
from raresight.pipeline.evaluation.decisions.costs import Decision
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task, predict_labels
from raresight.pipeline.evaluation.decisions.thresholds import Threshold
from raresight.pipeline.evaluation.inputs import EvaluationInputs
from raresight.pipeline.evaluation.metrics.calibration import (
    Calibrator,
    Reliability,
    event,
    reliability,
)
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.parts import (
    calibration_of,
    costs_of,
    deployment_of,
    slices_of,
    threshold_choice_of,
)
from raresight.pipeline.evaluation.slices import Slice
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """A judgement: outcomes and assessments by name, in the order they are to be read.

    The names are ``test``, ``perturbed``, those of BASELINES, ``random_baseline``,
    ``majority_baseline`` and ``val``; ``random_baseline`` has no outcome, as its counts are
    expected ones. ``thresholds`` (of ``model`` and of BASELINES) and ``deployment`` (by
    prevalence, then by name) are empty without a positive class. ``calibration`` holds the figures
    of the test scores as they are (``raw``), with the class shares put right (``prior_corrected``)
    and with the temperature too (``calibrated``). ``decide`` turns the model's scores into answers;
    ``costs`` are known where they decide without a positive class. ``gain`` is what the model is
    worth beyond the best baseline. ``folds`` is that of the inputs; ``threshold_choice`` has
    intervals that hold the choice of the threshold, None without a positive class.
    """

    task: Task
    params: EvaluateParams
    targets: Mapping[str, np.ndarray]
    outcomes: Mapping[str, Predictions]
    assessments: Mapping[str, Assessment]
    thresholds: Mapping[str, Threshold]
    deployment: Mapping[float, Mapping[str, Mapping[str, Estimate]]]
    calibrator: Calibrator
    calibration: Mapping[str, Mapping[str, Estimate]]
    slices: tuple[Slice, ...]
    decide: Decision | None = None
    costs: CostResults | None = None
    gain: Gain | None = None
    folds: int | None = None
    threshold_choice: Mapping[str, Estimate] | None = None

    def probabilities(self, name: str) -> np.ndarray:
        """The test scores (n, K) as one of the keys of ``calibration``."""
        scores = self.outcomes["test"].scores
        if name == "raw":
            return scores
        if name == "calibrated":
            return self.calibrator(scores)
        return replace(self.calibrator, temperature=1.0)(scores)

    def reliability(self, name: str) -> Reliability:
        """The reliability diagram of the test scores as one of the keys of ``calibration``."""
        score, happened = event(
            self.probabilities(name), self.targets["test"], self.task.positive_index
        )
        return reliability(
            score,
            happened,
            bins=self.params.calibration_bins,
            settings=self.params.intervals,
            by_score=self.task.positive is not None,
            groups=self.outcomes["test"].groups,
        )


def evaluate(inputs: EvaluationInputs, params: EvaluateParams) -> EvaluationResult:
    """Choose thresholds on validation, then judge the model and the baselines.

    Raises DataError when validation has no image of the positive class.
    """
    task = inputs.task
    thresholds = thresholds_of(inputs, params)
    calibrator = calibrator_of(inputs)
    decisions = decisions_of(inputs, params, thresholds, calibrator)
    outcomes = _outcomes(inputs, decisions)
    assessments = _assessments(inputs, outcomes, params)
    result = EvaluationResult(
        task=task,
        params=params,
        targets=inputs.targets,
        outcomes=outcomes,
        assessments=assessments,
        thresholds=thresholds,
        decide=decisions["model"],
        costs=costs_of(
            {name: outcomes[name] for name in ("test", "perturbed", *inputs.baselines, "val")},
            inputs.targets["train"],
            params,
        ),
        deployment=deployment_of(
            {"model": outcomes["test"]}
            | {name: outcomes[name] for name in ("perturbed", *inputs.baselines)},
            inputs.targets["train"],
            params,
        ),
        calibrator=calibrator,
        calibration={},
        slices=slices_of(outcomes["test"], outcomes["perturbed"], inputs.factors, params),
        folds=inputs.folds,
        threshold_choice=None
        if task.positive is None
        else threshold_choice_of(
            outcomes["test"],
            assessments["test"].overall,
            (inputs.model["val"], inputs.targets["val"], inputs.groups.get("val")),
            params,
        ),
        gain=gain_over(
            outcomes["test"],
            {name: outcomes[name] for name in inputs.baselines},
            settings=params.intervals,
            rng=seeds.rng(params.seed, "evaluate", "gain"),
        ),
    )
    calibration = {
        name: calibration_of(result.probabilities(name), outcomes["test"], params)
        for name in ("raw", "prior_corrected", "calibrated")
    }
    return replace(result, calibration=calibration)


def _outcomes(
    inputs: EvaluationInputs, decisions: Mapping[str, Decision]
) -> dict[str, Predictions]:
    task, targets, groups = inputs.task, inputs.targets, inputs.groups.get("test")
    model = decisions["model"]

    def on_test(scores: np.ndarray, decide: Decision) -> Predictions:
        return predict_labels(task, targets["test"], scores, decide=decide, groups=groups)

    return {
        "test": on_test(inputs.model["test"], model),
        "perturbed": on_test(inputs.model["perturbed"], model),
        **{
            name: on_test(scores["test"], decisions[name])
            for name, scores in inputs.baselines.items()
        },
        "majority_baseline": majority(task, targets["test"], seen=targets["train"], groups=groups),
        "val": predict_labels(
            task,
            targets["val"],
            inputs.model["val"],
            decide=model,
            groups=inputs.groups.get("val"),
        ),
    }


def _assessments(
    inputs: EvaluationInputs,
    outcomes: Mapping[str, Predictions],
    params: EvaluateParams,
) -> dict[str, Assessment]:
    found = {
        name: assess(
            outcomes[name],
            settings=params.intervals,
            rng=seeds.rng(params.seed, "evaluate", stream(name)),
        )
        for name in ("test", "perturbed", *inputs.baselines)
    }
    chance = guesses(inputs.task, inputs.targets["test"], seen=inputs.targets["train"])
    found["random_baseline"] = assess_chance(chance, inputs.task)
    found["majority_baseline"] = assess_majority(outcomes["majority_baseline"], params.intervals)
    # The threshold was chosen on these images, so an interval would promise too much.
    found["val"] = assess_values(outcomes["val"])
    return found
