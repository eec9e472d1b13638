"""Several trainings of one recipe as a small table: what the seed alone does to the results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raresight.pipeline.wording.numbers import count, number

_POSITIVE = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "F1": "f1",
    "average precision": "average_precision",
    "ROC-AUC": "roc_auc",
}
_ALIKE = {
    "accuracy": "accuracy",
    "macro precision": "macro_precision",
    "macro recall": "macro_recall",
    "macro F1": "macro_f1",
    "macro avg. precision": "macro_average_precision",
    "macro ROC-AUC": "macro_roc_auc",
}
_MOST = 10  # trainings that are listed one by one


@dataclass(frozen=True, kw_only=True)
class Trainings:
    """``rows`` are a name and a text a column: the mean, the spread, then each training by seed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    more: int


def trainings(metrics: Mapping[str, Any]) -> Trainings | None:
    """From the contents of metrics.json; None where the recipe was trained once."""
    if "replicates" not in metrics:
        return None
    replicates = metrics["replicates"]
    columns = _ALIKE if metrics["positive"] is None else _POSITIVE
    found = [replicates["test"][name] for name in columns.values()]
    rows = [
        ("mean", tuple(number(one["mean"]) for one in found)),
        ("spread", tuple(number(one["spread"]) for one in found)),
    ]
    shown = list(replicates["seeds"].items())[:_MOST]
    for training, seed in shown:
        rows.append((str(seed), tuple(number(one["values"][training]) for one in found)))
    return Trainings(
        title=f"On the test images, {count(replicates['trainings'])} trainings",
        columns=tuple(columns),
        rows=tuple(rows),
        more=replicates["trainings"] - len(shown),
    )
