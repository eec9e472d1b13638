"""The whole judgement of a model: its outcomes, beside the baselines, at two prevalences."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.assessment import (
    Assessment,
    assess,
    assess_chance,
    assess_majority,
)
from raresight.pipeline.evaluation.baselines import guesses, majority
from raresight.pipeline.evaluation.decisions.choose import (
    calibrator_of,
    decisions_of,
    thresholds_of,
)
from raresight.pipeline.evaluation.decisions.cost_results import CostResults, cost_results
from raresight.pipeline.evaluation.decisions.costs import Decision, mistake_costs
from raresight.pipeline.evaluation.decisions.predictions import Outcome, Task, answer
from raresight.pipeline.evaluation.decisions.thresholds import Threshold
from raresight.pipeline.evaluation.inputs import Evidence
from raresight.pipeline.evaluation.metrics.calibration import (
    Calibrator,
    Reliability,
    calibration_figures,
    event,
    reliability,
)
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.prevalence import by_chance, deploy
from raresight.pipeline.evaluation.slices import Slice, slice_results
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS
from raresight.pipeline.evaluation.uncertainty.methods import Bootstrap


@dataclass(frozen=True, kw_only=True)
class Study:
    """A judgement: outcomes and assessments by name, in the order they are to be read.

    The names are ``test``, ``perturbed``, ``shortcut``, ``prior_random``, ``majority`` and ``val``;
    ``prior_random`` has no outcome, as its counts are expected ones. ``thresholds`` (of ``model``
    and ``shortcut``) and ``deployment`` (by prevalence, then by name) are empty without a positive
    class. ``calibration`` holds
    the figures of the test scores as they are (``raw``), with the class shares put right
    (``prior_corrected``) and with the temperature too (``calibrated``). ``decide`` turns the
    model's scores into answers; ``costs`` are known where they decide without a positive class.
    """

    task: Task
    params: EvaluateParams
    targets: Mapping[str, np.ndarray]
    outcomes: Mapping[str, Outcome]
    assessments: Mapping[str, Assessment]
    thresholds: Mapping[str, Threshold]
    deployment: Mapping[float, Mapping[str, Mapping[str, Estimate]]]
    calibrator: Calibrator
    calibration: Mapping[str, Mapping[str, Estimate]]
    slices: tuple[Slice, ...]
    decide: Decision | None = None
    costs: CostResults | None = None

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
            confidence=self.params.confidence_level,
            by_score=self.task.positive is not None,
        )


def judge(evidence: Evidence, params: EvaluateParams) -> Study:
    """Choose thresholds on validation, then judge the model and the baselines.

    Raises DataError when validation has no image of the positive class.
    """
    task = evidence.task
    thresholds = thresholds_of(evidence, params)
    calibrator = calibrator_of(evidence)
    decisions = decisions_of(evidence, params, thresholds, calibrator)
    outcomes = _outcomes(evidence, decisions)
    bootstrap = Bootstrap(
        confidence=params.confidence_level,
        resamples=params.num_bootstrap,
        proportions=params.proportion_interval,
    )
    study = Study(
        task=task,
        params=params,
        targets=evidence.targets,
        outcomes=outcomes,
        assessments=_assessments(evidence, outcomes, params, bootstrap),
        thresholds=thresholds,
        decide=decisions["model"],
        costs=_costs(evidence, outcomes, params, bootstrap),
        deployment=_deployment(evidence, outcomes, params, bootstrap),
        calibrator=calibrator,
        calibration={},
        slices=_slices(evidence, outcomes, params, bootstrap),
    )
    names = ("raw", "prior_corrected", "calibrated")
    return replace(study, calibration={name: _calibration(study, name) for name in names})


def _outcomes(evidence: Evidence, decisions: Mapping[str, Decision]) -> dict[str, Outcome]:
    task, targets, sources = evidence.task, evidence.targets, evidence.sources
    model, shortcut = decisions["model"], decisions["shortcut"]

    def on_test(scores: np.ndarray, decide: Decision) -> Outcome:
        return answer(task, targets["test"], scores, decide=decide, sources=sources)

    return {
        "test": on_test(evidence.model["test"], model),
        "perturbed": on_test(evidence.model["perturbed"], model),
        "shortcut": on_test(evidence.shortcut["test"], shortcut),
        "majority": majority(task, targets["test"], seen=targets["train"]),
        "val": answer(task, targets["val"], evidence.model["val"], decide=model),
    }


def _assessments(
    evidence: Evidence,
    outcomes: Mapping[str, Outcome],
    params: EvaluateParams,
    bootstrap: Bootstrap,
) -> dict[str, Assessment]:
    found = {
        name: assess(
            outcomes[name], bootstrap=bootstrap, rng=seeds.rng(params.seed, "evaluate", name)
        )
        for name in ("test", "perturbed", "shortcut")
    }
    chance = guesses(evidence.task, evidence.targets["test"], seen=evidence.targets["train"])
    found["prior_random"] = assess_chance(chance, evidence.task)
    found["majority"] = assess_majority(outcomes["majority"], bootstrap)
    # The threshold was chosen on these images, so an interval would promise too much.
    found["val"] = assess(outcomes["val"])
    return found


def _deployment(
    evidence: Evidence,
    outcomes: Mapping[str, Outcome],
    params: EvaluateParams,
    bootstrap: Bootstrap,
) -> dict[float, dict[str, dict[str, Estimate]]]:
    task = evidence.task
    if task.positive is None:
        return {}
    seen = float((evidence.targets["train"] == task.positive_index).mean())
    rows = {"model": "test", "perturbed": "perturbed", "shortcut": "shortcut"}
    found = {}
    for prevalence in params.prevalences:
        found[prevalence] = {
            name: deploy(
                outcomes[outcome],
                prevalence=prevalence,
                bootstrap=bootstrap,
                # One stream for all, so that a prevalence more changes no other's figures.
                rng=seeds.rng(params.seed, "deployment", name),
            )
            for name, outcome in rows.items()
        }
        found[prevalence]["prior_random"] = by_chance(seen, prevalence)
        found[prevalence]["always_negative"] = by_chance(0.0, prevalence)
    return found


def _costs(
    evidence: Evidence,
    outcomes: Mapping[str, Outcome],
    params: EvaluateParams,
    bootstrap: Bootstrap,
) -> CostResults | None:
    if evidence.task.positive is not None or params.threshold.name != "cost":
        return None
    names = ("test", "perturbed", "shortcut", "val")
    return cost_results(
        {name: outcomes[name] for name in names},
        mistake_costs(params.threshold, evidence.task.classes),
        evidence.targets["train"],
        bootstrap=bootstrap,
        rng=seeds.rng(params.seed, "evaluate", "cost"),
    )


def _calibration(study: Study, name: str) -> dict[str, Estimate]:
    return calibration_figures(
        study.probabilities(name),
        study.targets["test"],
        study.task.positive_index,
        bins=study.params.calibration_bins,
        confidence=study.params.confidence_level,
    )


def _slices(
    evidence: Evidence,
    outcomes: Mapping[str, Outcome],
    params: EvaluateParams,
    bootstrap: Bootstrap,
) -> tuple[Slice, ...]:
    return slice_results(
        outcomes["test"],
        outcomes["perturbed"],
        evidence.factors,
        bins=params.slices.bins,
        min_images=params.slices.min_images,
        interval=partial(PROPORTIONS[bootstrap.proportions], confidence=bootstrap.confidence),
    )
