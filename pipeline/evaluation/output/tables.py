"""The data behind the plots, as text tables that DVC draws and anyone can read."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.metrics.calibration import event
from raresight.pipeline.evaluation.metrics.ranking import Curve, curve
from raresight.pipeline.evaluation.slices import Slice

SCORE_BINS = 25
WORST = 12


def tables(result: EvaluationResult) -> dict[str, str]:
    """Contents by file name; docs/evaluation.md says what each column means.

    ``confusion.csv`` holds a row an image; ``pr.tsv`` and ``roc.tsv`` the curves of the positive
    class, or of all classes pooled where there is none; ``calibration.tsv`` the reliability diagram
    of the calibrated scores; ``scores.tsv`` their histogram as the model gave them; ``slices.tsv``
    every slice, worst first; ``per_class.tsv`` every metric of each class with its interval. Files
    whose name ends in ``_perturbed`` are about the perturbed test images, the others about the
    clean ones.
    """
    files = {
        "per_class.tsv": _per_class(result),
        "calibration.tsv": _calibration(result, "calibrated"),
        "calibration_raw.tsv": _calibration(result, "raw"),
        "scores.tsv": _scores(result.outcomes["test"]),
        "slices.tsv": _slices(result.slices),
        "worst_slices.tsv": _worst_slices(result.slices),
    }
    for name, suffix in (("test", ""), ("perturbed", "_perturbed")):
        outcome = result.outcomes[name]
        points = curve(outcome.main_ranking)
        files[f"confusion{suffix}.csv"] = _confusion(outcome)
        files[f"pr{suffix}.tsv"] = _columns(points, ("recall", "precision", "threshold"))
        files[f"roc{suffix}.tsv"] = _columns(points, ("false_positive_rate", "recall", "threshold"))
    return files


def _confusion(outcome: Predictions) -> str:
    labels = np.asarray(outcome.task.classes)
    rows = zip(labels[outcome.targets], labels[outcome.predicted], strict=True)
    return _text(("actual", "predicted"), rows, delimiter=",")


def _columns(points: Curve, names: Sequence[str]) -> str:
    columns = [getattr(points, name) for name in names]
    return _text(names, _numbers(columns))


def _numbers(columns: Sequence[np.ndarray]) -> Iterable[list[str]]:
    rows = zip(*columns, strict=True)
    return (["" if np.isnan(value) else f"{value:.6g}" for value in row] for row in rows)


def _per_class(result: EvaluationResult) -> str:
    rows = [
        (name, label, metric, estimate.value, estimate.low, estimate.high)
        for name, assessment in result.assessments.items()
        for label, estimates in assessment.per_class.items()
        for metric, estimate in estimates.items()
    ]
    return _text(("set", "class", "metric", "value", "low", "high"), rows)


def _calibration(result: EvaluationResult, name: str) -> str:
    bins = result.reliability(name)
    names = ("score", "observed", "low", "high", "images")
    return _text(names, _numbers([getattr(bins, column) for column in names]))


def _scores(outcome: Predictions) -> str:
    score, happened = event(outcome.scores, outcome.targets, outcome.task.positive_index)
    edges = np.linspace(0, 1, SCORE_BINS + 1)
    counts = [np.histogram(score[kind], edges)[0] for kind in (happened, ~happened)]
    shares = [count / max(count.sum(), 1) for count in counts]
    middles = (edges[1:] + edges[:-1]) / 2
    return _text(("score", "positive", "negative"), _numbers([middles, *shares]))


def _slices(slices: Sequence[Slice]) -> str:
    header = (
        "metric",
        "factor",
        "part",
        "slice",
        "value",
        "low",
        "high",
        "correct",
        "images",
        "groups",
    )
    rows = [
        (
            *(one.metric, one.factor, one.part, one.name),
            *(one.estimate.value, one.estimate.low, one.estimate.high),
            *(one.correct, one.images, one.groups, one.p, one.p_adjusted),
        )
        for one in slices
    ]
    return _text((*header, "p", "p_adjusted"), rows)


def _worst_slices(slices: Sequence[Slice]) -> str:
    """Of recall, or accuracy where there is no positive class."""
    rows = [(one.name, one.estimate.value) for one in slices if one.metric != "precision"]
    return _text(("slice", "value"), rows[:WORST])


def _text(header: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = "\t") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
