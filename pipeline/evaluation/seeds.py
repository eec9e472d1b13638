"""Further trainings of the model, judged by the same rules: values, and no intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

from raresight.pipeline.evaluation.assessment import assess
from raresight.pipeline.evaluation.decisions.choose import calibrator_of, threshold_of
from raresight.pipeline.evaluation.decisions.costs import decision
from raresight.pipeline.evaluation.decisions.predictions import Outcome, Task, answer
from raresight.pipeline.evaluation.decisions.thresholds import Threshold
from raresight.pipeline.evaluation.evaluate import Study
from raresight.pipeline.evaluation.inputs import Evidence
from raresight.pipeline.evaluation.metrics.calibration import Calibrator, calibration_figures
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate

SETS = ("val", "test", "perturbed")
_ABOUT_POSITIVE = ("accuracy", "precision", "recall", "f1", "average_precision", "roc_auc")
_ALIKE = ("precision", "recall", "f1", "average_precision", "roc_auc")
_BELIEVED = ("ece", "brier")


@dataclass(frozen=True, kw_only=True)
class Replicate:
    """One training: its answers on val, test and perturbed, and what was chosen on validation."""

    outcomes: Mapping[str, Outcome]
    threshold: Threshold | None
    calibrator: Calibrator


def first_of(study: Study) -> Replicate:
    """The training that the study is about."""
    return Replicate(
        outcomes={name: study.outcomes[name] for name in SETS},
        threshold=study.thresholds.get("model"),
        calibrator=study.calibrator,
    )


def judge_again(evidence: Evidence, params: EvaluateParams) -> Replicate:
    """Another training, of which ``evidence`` has the scores.

    It gets a threshold and a calibration of its own, chosen on validation as the first one's were.
    """
    task, targets = evidence.task, evidence.targets
    chosen = threshold_of(evidence.model["val"], evidence, params)
    calibrator = calibrator_of(evidence)
    decide = decision(
        params.threshold,
        task,
        threshold=None if chosen is None else chosen.value,
        probabilities=calibrator,
    )

    def outcome(name: str) -> Outcome:
        actual = targets["val" if name == "val" else "test"]
        return answer(task, actual, evidence.model[name], decide=decide)

    return Replicate(
        outcomes={name: outcome(name) for name in SETS},
        threshold=chosen,
        calibrator=calibrator,
    )


def figures_of(training: Replicate, name: str, params: EvaluateParams) -> dict[str, Estimate]:
    """The values on one of the sets; on ``test`` also how far the calibrated scores are right."""
    outcome = training.outcomes[name]
    overall = assess(outcome).overall
    found = {metric: overall[metric] for metric in metrics_of(outcome.task)}
    return found | (_believed(training, params) if name == "test" else {})


def metrics_of(task: Task) -> tuple[str, ...]:
    """The positive class's metrics, where there is one, and all classes' where they say more."""
    alike = ("balanced_accuracy", *(f"macro_{name}" for name in _ALIKE))
    if task.positive is None:
        return ("accuracy", *alike)
    return _ABOUT_POSITIVE + (alike if len(task.classes) > 2 else ())


def _believed(training: Replicate, params: EvaluateParams) -> dict[str, Estimate]:
    outcome = training.outcomes["test"]
    found = calibration_figures(
        training.calibrator(outcome.scores),
        outcome.targets,
        outcome.task.positive_index,
        bins=params.calibration_bins,
        confidence=params.confidence_level,
    )
    return {f"calibrated_{name}": found[name] for name in _BELIEVED}
