"""Two sets of scores of the same images: whether one is better."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import RenderableType

from raresight.display import Shown
from raresight.pipeline.comparison.compare import Comparison, Side
from raresight.pipeline.comparison.compare import compare as compare_sides
from raresight.pipeline.comparison.report import Report
from raresight.pipeline.comparison.sides import DECISIONS, MODELS
from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.params import EvaluateParams
from raresight.pipeline.evaluation.predictions_table import PredictionsTable, task_of
from raresight.pipeline.terminal.comparison import render
from raresight.tables import as_table


@dataclass(frozen=True, kw_only=True)
class ScoreComparison(Shown):
    """How two models differ on the same images, metric by metric, with intervals.

    ``verdicts`` says of each metric whether the new scores are better, worse, or identical, or the
    difference is inconclusive. That is about these two models: another seed may give another one.
    """

    report: Report

    @property
    def comparison(self) -> Comparison:
        return self.report.comparison

    @property
    def verdicts(self) -> dict[str, str]:
        return {one.name: one.ruling for one in self.comparison.differences}

    def to_json(self) -> str:
        """All of it as JSON."""
        return json.dumps(asdict(self.report), indent=2, ensure_ascii=False, allow_nan=False)

    def __rich__(self) -> RenderableType:
        return render(self.report)


def compare(
    labels: Any,
    old: Any,
    new: Any,
    *,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    groups: Any = None,
    threshold: float = 0.5,
    new_threshold: float | None = None,
    primary: str | None = None,
    confidence_level: float = 0.95,
    num_bootstrap: int = 2000,
    seed: int = 1,
) -> ScoreComparison:
    """Compare two models by their scores of the same images; a positive difference favours ``new``.

    ``old`` and ``new`` are scores as :func:`raresight.evaluate` takes them, in the order of
    ``labels``. ``threshold`` decides both, unless ``new_threshold`` is given. ``primary`` is the
    metric that the verdict rests on (None: average precision); the others are adjusted for their
    number. Images of one of ``groups`` are resampled together.

    Raises RaresightError (DataError) where labels and scores do not fit each other.
    """
    tables = [
        as_table(labels, scores, positive=positive, classes=classes, groups=groups)
        for scores in (old, new)
    ]
    first = tables[0]
    task = task_of(first, "scores", first.scored)
    at = (threshold, threshold if new_threshold is None else new_threshold)
    params = EvaluateParams(confidence_level=confidence_level, num_bootstrap=num_bootstrap)
    before, after = (
        Side(outcomes=(predict_labels(task, table.labels, table.scores, threshold=value),))
        for table, value in zip(tables, at, strict=True)
    )
    same = np.array_equal(first.scores, tables[1].scores)
    found = compare_sides(
        before,
        after,
        first.groups,
        settings=params.intervals,
        rng=seeds.rng(seed, "compare", "test"),
        primary=primary,
        same_models=same,
    )
    about = DECISIONS if same else MODELS
    return ScoreComparison(report=_report(found, first, task, about, confidence_level))


def _report(
    found: Comparison, images: PredictionsTable, task: Task, about: str, confidence_level: float
) -> Report:
    """What the terminal shows of a comparison of two models on the same ``images``."""
    counts = np.bincount(images.labels, minlength=len(task.classes)).tolist()
    return Report(
        old="old",
        new="new",
        on="test",
        positive=task.positive,
        confidence=confidence_level,
        counts=dict(zip(task.classes, counts, strict=True)),
        params=None,
        num_seeds=(1, 1),
        about=about,
        grouped=len(np.unique(images.groups)) < len(images.groups),
        thresholds_vary=False,
        comparison=found,
        notes=(),
    )
