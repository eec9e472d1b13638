"""Mistakes and right answers as pictures, with what is known of each image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.report.images.mistakes import (
    Example,
    Gallery,
    least_sure,
    some_of_each,
    surest,
)
from raresight.pipeline.report.images.sheets import picture_of

_ALL_KINDS = 4  # where mistakes of many cells share a gallery, it is so many times as long


def galleries(data: Dataset, ids: Sequence[str], test: Predictions, *, most: int) -> list[Gallery]:
    """Up to ``most`` false positives and false negatives; without a positive class four times as
    many mistakes, of every cell of the confusion matrix. And up to ``most`` right answers, of every
    class. ``ids`` (n,) name the images of ``test``.
    """
    answers, positive = (test.scores, test.targets, test.predicted), test.task.positive_index
    mistakes = surest(*answers, positive=positive)
    chosen = {kind: (rows, _some(test, rows, most)) for kind, (rows, _) in mistakes.items()}
    right = least_sure(*answers, positive=positive)
    chosen["right"] = right, right[some_of_each(test.targets[right], most)]
    return [
        Gallery(
            kind=kind,
            total=len(rows),
            examples=examples_of(data, [ids[row] for row in taken], test, taken),
        )
        for kind, (rows, taken) in chosen.items()
    ]


def _some(test: Predictions, rows: np.ndarray, most: int) -> np.ndarray:
    if test.task.positive is not None:
        return rows[:most]
    cells = test.targets[rows] * len(test.task.classes) + test.predicted[rows]
    return rows[some_of_each(cells, _ALL_KINDS * most)]


def examples_of(
    data: Dataset, ids: Sequence[str], outcome: Predictions, rows: np.ndarray
) -> tuple[Example, ...]:
    """The images at ``rows`` (m,) of ``outcome``, called ``ids`` (m,) in ``data``."""
    row_of = {id: row for row, id in enumerate(data.ids.tolist())}
    places = [row_of[id] for id in ids]
    known = {name: data.column(f"factor.{name}", places) for name in data.description.factors}
    files = known.pop("file", [None] * len(ids))
    classes, shown = outcome.task.classes, outcome.task.positive_index
    return tuple(
        Example(
            id=id,
            file=files[k] or "",
            cell=f"{outcome.targets[row]}-{outcome.predicted[row]}",
            actual=classes[outcome.targets[row]],
            predicted=classes[outcome.predicted[row]],
            score=float(outcome.scores[row, outcome.predicted[row] if shown is None else shown]),
            picture=picture_of(data, places[k]),
            factors=_texts({name: values[k] for name, values in known.items()}),
        )
        for k, (id, row) in enumerate(zip(ids, rows.tolist(), strict=True))
    )


def _texts(factors: Mapping[str, Any]) -> dict[str, str]:
    """The known ones, as they are read."""
    return {
        name.replace("_", " "): f"{value:.3g}" if isinstance(value, float) else str(value)
        for name, value in factors.items()
        if value not in (None, "") and value == value
    }
