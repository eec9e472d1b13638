"""The data behind the plots, as text tables that DVC draws and anyone can read."""

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.evaluation.outcome import Outcome
from pipeline.evaluation.ranking import Curve, curve
from pipeline.evaluation.study import Study


def tables(study: Study) -> dict[str, str]:
    """Contents by file name.

    ``confusion.csv`` holds a row an image (actual, predicted); ``pr.tsv`` and ``roc.tsv`` the
    curves of the positive class, or of all classes pooled where there is none; ``per_class.tsv``
    every metric of each class with its interval. Files whose name ends in ``_perturbed`` are about
    the perturbed test images, the others about the clean ones.
    """
    files = {"per_class.tsv": _per_class(study)}
    for name, suffix in (("test", ""), ("perturbed", "_perturbed")):
        outcome = study.outcomes[name]
        points = curve(outcome.main_ranking)
        files[f"confusion{suffix}.csv"] = _confusion(outcome)
        files[f"pr{suffix}.tsv"] = _columns(points, ("recall", "precision"))
        files[f"roc{suffix}.tsv"] = _columns(points, ("false_positive_rate", "recall"))
    return files


def _confusion(outcome: Outcome) -> str:
    labels = np.asarray(outcome.task.classes)
    rows = zip(labels[outcome.targets], labels[outcome.predicted], strict=True)
    return _text(("actual", "predicted"), rows, delimiter=",")


def _columns(points: Curve, names: Sequence[str]) -> str:
    columns = [getattr(points, name) for name in names]
    rows = ([f"{value:.6g}" for value in row] for row in zip(*columns, strict=True))
    return _text(names, rows)


def _per_class(study: Study) -> str:
    rows = [
        (name, label, metric, estimate.value, estimate.low, estimate.high)
        for name, assessment in study.assessments.items()
        for label, estimates in assessment.per_class.items()
        for metric, estimate in estimates.items()
    ]
    return _text(("set", "class", "metric", "value", "low", "high"), rows)


def _text(header: Sequence[str], rows: Iterable[Sequence], *, delimiter: str = "\t") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
