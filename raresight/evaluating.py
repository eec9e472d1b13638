"""Judging labels and scores, whoever made them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from raresight.display import Shown
from raresight.pipeline.evaluation.external_scores import (
    chosen_threshold,
    evaluate_scores,
    stated_threshold,
    to_external_json,
)
from raresight.pipeline.evaluation.goals import goal_problems
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.predictions_table import PredictionsTable, task_of
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.terminal.evaluation import render
from raresight.pipeline.wording.verdict import plain, verdict
from raresight.tables import as_table

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Evaluation(Shown):
    """What scores are worth; ``results`` holds everything, as results.json of the pipeline does.

    Shows itself as the terminal's tables, in a notebook and with ``print``.
    """

    results: Mapping[str, Any]

    @property
    def values(self) -> dict[str, float | None]:
        """Every metric on these images; None where it is undefined, see ``reasons``."""
        test = self.results["test"]
        skipped = ("_low", "_high")
        return {
            name: value
            for name, value in test.items()
            if not name.endswith(skipped) and not isinstance(value, Mapping)
        }

    @property
    def intervals(self) -> dict[str, Interval]:
        """The interval of every metric that has one."""
        test = self.results["test"]
        return {
            name: (test[f"{name}_low"], test[f"{name}_high"])
            for name in self.values
            if test.get(f"{name}_low") is not None
        }

    @property
    def reasons(self) -> dict[str, str]:
        """Why a metric is undefined."""
        return dict(self.results["test"].get("undefined", {}))

    @property
    def deployed(self) -> Mapping[str, Any] | None:
        """The model's figures at the (first) deployment prevalence; None without one."""
        deployment = self.results.get("deployment")
        return None if deployment is None else deployment["model"]

    @property
    def verdict(self) -> str:
        """The result in one paragraph."""
        return plain(verdict(self.results))

    def to_json(self) -> str:
        """All results as JSON."""
        return json.dumps(self.results, indent=2, ensure_ascii=False, allow_nan=False)

    def __rich__(self) -> RenderableType:
        return render(self.results, folder=None)


def evaluate(
    labels: Any,
    scores: Any,
    *,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    groups: Any = None,
    prevalence: float | Sequence[float] | None = None,
    threshold: float = 0.5,
    validation: tuple[Any, Any] | None = None,
    goals: Mapping[str, float] | None = None,
    confidence_level: float = 0.95,
    num_bootstrap: int = 2000,
    seed: int = 1,
) -> Evaluation:
    """Judge scores of images with known labels, beside the majority and random baselines.

    ``labels`` is (n,); ``scores`` is (n,), of the ``positive`` class, or (n, K) in the order of
    ``classes`` (the sorted labels). Without ``positive``, and where the labels are not 0 and 1, all
    classes matter alike. Images of one of ``groups`` (n,), such as a patient, are no independent
    evidence. ``prevalence`` is the share of positives where the model will be used (several: the
    first is the one of the verdict); by default that of these images. Scores of at least
    ``threshold`` are positive; with ``validation``, labels and scores of other images, the
    threshold with the highest F1 there is taken instead. ``goals`` are values that metrics have to
    reach, by name (``{"recall": 0.9, "precision_deployed": 0.5}``).

    Raises RaresightError (DataError) where labels and scores do not fit each other.
    """
    test = as_table(labels, scores, positive=positive, classes=classes, groups=groups)
    task = task_of(test, "scores", test.scored)
    params = EvaluateParams(
        seed=seed,
        confidence_level=confidence_level,
        num_bootstrap=num_bootstrap,
        deployment_prevalence=_shares(prevalence, test, task.positive_index),
        goals=dict(goals or {}),
    )
    if problems := list(goal_problems(params.goals, task)):
        raise ParamsError("\n".join(problems))
    val = None
    if validation is not None:
        val = as_table(*validation, positive=test.scored, classes=classes)
    chosen = stated = None
    if val is not None:
        chosen = chosen_threshold(task, val, params)
    elif task.positive is not None:
        chosen, stated = stated_threshold(threshold), threshold
    result = evaluate_scores(task, test, val, chosen, params)
    return Evaluation(results=to_external_json(result, stated=stated))


def _shares(
    prevalence: float | Sequence[float] | None, test: PredictionsTable, positive: int | None
) -> tuple[float, ...]:
    if prevalence is None:
        share = 0.5 if positive is None else float((test.labels == positive).mean())
        least = 1 / (len(test.ids) + 1)  # all or none of the images may be positive
        return (min(max(share, least), 1 - least),)
    return (prevalence,) if isinstance(prevalence, float | int) else tuple(prevalence)
