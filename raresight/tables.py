"""Labels and scores, as people have them in arrays, lists and data frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.predictions_table import PredictionsTable
from raresight.pipeline.runtime.errors import DataError, listing, suggest

_TOLERANCE = 1e-3


def as_table(
    labels: Any,
    scores: Any,
    *,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    groups: Any = None,
) -> PredictionsTable:
    """Labels (n,) and scores as a table of predictions.

    ``scores`` is (n,), the score of the positive class, or (n, K), a column a class in the order of
    ``classes`` (those of the labels, sorted, if not given). Scores are in [0, 1]; the columns of a
    row sum to 1. ``groups`` (n,) says which rows belong together. Raises DataError, which names
    what is wrong.
    """
    texts = _texts(labels, "labels")
    values = np.asarray(scores, dtype=np.float64)
    if len(values) != len(texts) or values.ndim not in (1, 2):
        raise DataError(
            f"scores must be ({len(texts)},) or ({len(texts)}, classes), as there are "
            f"{len(texts)} labels. Got {values.shape}."
        )
    if not len(texts):
        raise DataError("there are no labels.")
    if bad := int((~((values >= 0) & (values <= 1))).sum()):
        raise DataError(f"{bad} scores are no numbers from 0 to 1.")
    chosen = str(positive) if positive is not None else None
    names = [str(label) for label in (sorted(set(texts)) if classes is None else classes)]
    if values.ndim == 1:
        names, values, chosen = _of_one_column(names, values, chosen)
    order = np.argsort(names)
    names = [names[place] for place in order]
    _check(texts, values, names, chosen)
    ids = np.arange(len(texts)).astype(str)
    return PredictionsTable(
        classes=tuple(names),
        ids=ids,
        group_names=ids if groups is None else _grouped(groups, len(texts)),
        targets=np.searchsorted(np.asarray(names), texts),
        pixels=None,
        scores=values[:, order],
        scored=chosen,
    )


def _texts(values: Any, what: str) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"{what} must be one row of values. Got an array of shape {array.shape}.")
    return np.array([str(value) for value in array.tolist()], str)


def _grouped(groups: Any, count: int) -> np.ndarray:
    texts = _texts(groups, "groups")
    if len(texts) != count:
        raise DataError(f"there are {count} labels, but {len(texts)} groups.")
    return texts


def _of_one_column(
    names: list[str], score: np.ndarray, positive: str | None
) -> tuple[list[str], np.ndarray, str]:
    """Two columns from the score of the positive class: 1 or True where none is named."""
    if positive is None:
        positive = next((name for name in ("1", "True") if name in names), None)
    if positive is None:
        raise DataError(
            f"say which class the scores are of: positive=... Labels: {', '.join(names[:10])}."
        )
    others = [name for name in names if name != positive] or [f"not {positive}"]
    if len(others) > 1:
        raise DataError(
            f"one column of scores is of two classes, but the labels are {', '.join(names[:10])}: "
            "give a column a class, or call all but the positive class the same."
        )
    return [others[0], positive], np.stack([1 - score, score], axis=1), positive


def _check(texts: np.ndarray, scores: np.ndarray, names: list[str], positive: str | None) -> None:
    problems = []
    if scores.shape[1] != len(names):
        problems.append(f"{scores.shape[1]} columns of scores for {len(names)} classes: {names}")
    for label in sorted(set(texts) - set(names)):
        problems.append(f"no scores for the label '{label}'. {suggest(label, names)}")
    if positive is not None and positive not in names:
        problems.append(f"no class '{positive}'. {suggest(positive, names)}")
    off = np.abs(scores.sum(axis=1) - 1)
    if off.max() > _TOLERANCE:
        row = int(off.argmax())
        problems.append(f"the scores of row {row} sum to {scores[row].sum():.4g}, not to 1")
    if problems:
        raise DataError(f"these are no predictions:\n{listing(problems)}")
