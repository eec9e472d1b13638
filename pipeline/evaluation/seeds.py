"""Further trainings of the model, judged by the same rules: values, and no intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

from raresight.pipeline.evaluation.assessment import assess_values
from raresight.pipeline.evaluation.decisions.calibrate_and_threshold import (
    calibrator_of,
    threshold_of,
)
from raresight.pipeline.evaluation.decisions.costs import decision
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task, predict_labels
from raresight.pipeline.evaluation.decisions.thresholds import Threshold
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.inputs import EvaluationInputs
from raresight.pipeline.evaluation.metrics.calibration import Calibrator, calibration_figures
from raresight.pipeline.evaluation.metrics.registry import shown
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate

SETS = ("val", "test", "perturbed")


@dataclass(frozen=True, kw_only=True)
class SeedResult:
    """One training: its answers on val, test and perturbed, and what was chosen on validation."""

    outcomes: Mapping[str, Predictions]
    threshold: Threshold | None
    calibrator: Calibrator


def first_of(result: EvaluationResult) -> SeedResult:
    """The training that the result is about."""
    return SeedResult(
        outcomes={name: result.outcomes[name] for name in SETS},
        threshold=result.thresholds.get("model"),
        calibrator=result.calibrator,
    )


def evaluate_seed(inputs: EvaluationInputs, params: EvaluateParams) -> SeedResult:
    """Another training, of which ``inputs`` has the scores.

    It gets a threshold and a calibration of its own, chosen on validation as the first one's were.
    """
    task, targets = inputs.task, inputs.targets
    chosen = threshold_of(inputs.model["val"], inputs, params)
    calibrator = calibrator_of(inputs)
    decide = decision(
        params.threshold,
        task,
        threshold=None if chosen is None else chosen.value,
        probabilities=calibrator,
    )

    def outcome(name: str) -> Predictions:
        actual = targets["val" if name == "val" else "test"]
        return predict_labels(task, actual, inputs.model[name], decide=decide)

    return SeedResult(
        outcomes={name: outcome(name) for name in SETS},
        threshold=chosen,
        calibrator=calibrator,
    )


def figures_of(training: SeedResult, name: str, params: EvaluateParams) -> dict[str, Estimate]:
    """The values on one of the sets; on ``test`` also how far the calibrated scores are right."""
    outcome = training.outcomes[name]
    known = dict(assess_values(outcome).overall)
    if name == "test":
        known |= _calibrated(training, params)
    return {metric: known[metric] for metric in metrics_of(outcome.task) if metric in known}


def metrics_of(task: Task) -> tuple[str, ...]:
    """The positive class's metrics, where there is one, and all classes' where they say more."""
    alike = shown("seeds", positive=False)
    if task.positive is None:
        return alike
    about = shown("seeds", positive=True)
    return about + (tuple(n for n in alike if n not in about) if len(task.classes) > 2 else ())


def _calibrated(training: SeedResult, params: EvaluateParams) -> dict[str, Estimate]:
    outcome = training.outcomes["test"]
    return calibration_figures(
        training.calibrator(outcome.scores),
        outcome.targets,
        outcome.task.positive_index,
        bins=params.calibration_bins,
        settings=params.intervals,
    )
