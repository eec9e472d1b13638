"""The mistakes that the model was surest of, and the right answers that it was least sure of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.report.images.pictures import Picture


@dataclass(frozen=True, kw_only=True)
class Example:
    """An image of the test, with the score that led to its class.

    ``cell`` is that of the confusion matrix (row-column), ``file`` where the image was read from
    (empty where it was drawn), and ``factors`` what is known of it, as texts.
    """

    id: str
    file: str
    cell: str
    actual: str
    predicted: str
    score: float
    picture: Picture
    factors: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Mistakes of one kind (see :func:`surest`), the surest first; ``total`` were made in all.

    Of kind ``right``: right answers, the least sure first, shown where a cell of them is asked for.
    """

    kind: str
    total: int
    examples: tuple[Example, ...]


def surest(
    scores: np.ndarray, targets: np.ndarray, predicted: np.ndarray, *, positive: int | None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rows (m,) of each kind of mistake and the scores that led to them, the surest first.

    ``scores`` is (n, K), ``targets`` and ``predicted`` are int (n,). With a ``positive`` class the
    kinds are ``fp`` (its highest scores on other images) and ``fn`` (its lowest on its own);
    without one ``wrong``, by the score of the predicted class.
    """
    if positive is None:
        wrong = np.flatnonzero(targets != predicted)
        return {"wrong": _ordered(wrong, -scores[wrong, predicted[wrong]])}
    own = scores[:, positive]
    fp = np.flatnonzero((predicted == positive) & (targets != positive))
    fn = np.flatnonzero((predicted != positive) & (targets == positive))
    return {"fp": _ordered(fp, -own[fp]), "fn": _ordered(fn, own[fn])}


def least_sure(
    scores: np.ndarray, targets: np.ndarray, predicted: np.ndarray, *, positive: int | None
) -> np.ndarray:
    """Rows (m,) that were classified right, those nearest to a mistake first; see :func:`surest`.

    With a ``positive`` class those are its lowest scores on its own images, and its highest on
    others; without one the lowest scores of the predicted class.
    """
    right = np.flatnonzero(targets == predicted)
    if positive is None:
        return _ordered(right, scores[right, targets[right]])[0]
    own = scores[right, positive]
    return _ordered(right, np.where(targets[right] == positive, own, 1 - own))[0]


def _ordered(rows: np.ndarray, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(key, kind="stable")
    return rows[order], np.abs(key[order])


def some_of_each(cells: np.ndarray, most: int) -> np.ndarray:
    """Places (m,) of at most ``most`` of ``cells`` (n,), in their order: the first of every cell,
    then the second, and so on, so that no cell is left out for another's sake."""
    turn = np.zeros(len(cells), int)
    for cell in np.unique(cells):
        turn[cells == cell] = np.arange(np.count_nonzero(cells == cell))
    return np.sort(np.argsort(turn, kind="stable")[:most])


def confused(
    counts: np.ndarray, classes: Sequence[str], most: int = 10
) -> tuple[tuple[str, str, int, str], ...]:
    """The pairs (actual, predicted, images, cell) that are mistaken most often, from counts
    (K, K)."""
    pairs = sorted(_pairs(counts, classes), key=lambda pair: (-pair[2], pair[0], pair[1]))
    return tuple(pairs[:most])


def _pairs(counts: np.ndarray, classes: Sequence[str]) -> Iterator[tuple[str, str, int, str]]:
    for (i, j), images in np.ndenumerate(counts):
        if i != j and images:
            yield classes[i], classes[j], int(images), f"{i}-{j}"


def counted(test: Predictions) -> dict[str, float] | None:
    """The confusion at the threshold, and the share of positives; None without a positive class."""
    if test.task.positive is None:
        return None
    (tn, fp), (fn, tp) = test.task.focus(test.confusion).tolist()
    return {"tp": tp, "fn": fn, "fp": fp, "tn": tn, "share": (tp + fn) / len(test.targets)}


def by_class(metrics: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Each class's figures on the test images, the lowest F1 first."""
    rows = metrics["test"]["per_class"].items()
    return sorted(rows, key=lambda row: (row[1]["f1"] or 0.0, row[0]))
