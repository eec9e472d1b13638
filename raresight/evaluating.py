"""Judging labels and scores, whoever made them."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.decisions.thresholds import Threshold, choose
from raresight.pipeline.evaluation.external_scores import evaluate_scores
from raresight.pipeline.evaluation.output.results_json import to_results_json
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.predictions_table import PredictionsTable, task_of
from raresight.pipeline.terminal.evaluation import render
from raresight.pipeline.wording.numbers import verdict
from raresight.tables import as_table

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
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
        parts = verdict(self.results)
        return "".join(part if isinstance(part, str) else part[0] for part in parts)

    def to_json(self) -> str:
        """All results as JSON."""
        return json.dumps(self.results, indent=2, ensure_ascii=False, allow_nan=False)

    def __rich__(self) -> RenderableType:
        return render(self.results, folder=None)

    def __str__(self) -> str:
        return self._rendered().export_text()

    def _repr_html_(self) -> str:
        return self._rendered().export_html(inline_styles=True, code_format="<pre>{code}</pre>")

    def _rendered(self) -> Console:
        console = Console(width=100, file=io.StringIO(), record=True)
        console.print(self)
        return console


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
    threshold with the highest F1 there is taken instead.

    Raises RaresightError (DataError) where labels and scores do not fit each other.
    """
    test = as_table(labels, scores, positive=positive, classes=classes, groups=groups)
    task = task_of(test, "scores", test.scored)
    params = EvaluateParams(
        seed=seed,
        confidence_level=confidence_level,
        num_bootstrap=num_bootstrap,
        deployment_prevalence=_shares(prevalence, test, task.positive_index),
    )
    val = None
    if validation is not None:
        val = as_table(*validation, positive=test.scored, classes=classes)
    chosen = None
    if task.positive_index is not None:
        chosen = _threshold(task.positive_index, val, params, threshold)
    results = to_results_json(evaluate_scores(task, test, val, chosen, params))
    results["calibration"] = {"raw": results["calibration"]["raw"]}  # nothing was calibrated
    if validation is None and task.positive is not None:
        results["threshold"] = {"name": "stated", "model": threshold}
    return Evaluation(results=results)


def _shares(
    prevalence: float | Sequence[float] | None, test: PredictionsTable, positive: int | None
) -> tuple[float, ...]:
    if prevalence is None:
        share = 0.5 if positive is None else float((test.targets == positive).mean())
        least = 1 / (len(test.ids) + 1)  # all or none of the images may be positive
        return (min(max(share, least), 1 - least),)
    return (prevalence,) if isinstance(prevalence, float | int) else tuple(prevalence)


def _threshold(
    index: int, val: PredictionsTable | None, params: EvaluateParams, stated: float
) -> Threshold:
    if val is None:
        return Threshold(value=stated, score=float("nan"), positives=0)
    rng = seeds.rng(params.seed, "threshold", "model")
    return choose(params.threshold, val.scores[:, index], val.targets == index, rng=rng)
