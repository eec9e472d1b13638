"""The places where a threshold can part validation rows, and what is above each of them."""

from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.decisions.costs import RowCosts
from raresight.pipeline.evaluation.decisions.smoothing import Smoothing, highest, smoothing
from raresight.pipeline.evaluation.uncertainty.resampling import weighted_counts


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Validation rows, and the places where a threshold can part them.

    ``order`` is int (n,), the rows from the best score down, ``scores`` (n,) in that order.
    ``positive``, bool (n,), ``costs``, float (n, 2), what a row costs where it is predicted
    negative and where positive, and ``part``, int (n,), the first candidate that the row is above,
    are in the order that rows came in. ``ends`` is int (candidates,), how many rows are above each,
    less one; ``values`` are the thresholds there. ``smoothing`` is there where few positives ask
    for it.
    """

    order: np.ndarray
    scores: np.ndarray
    positive: np.ndarray
    costs: np.ndarray | None
    part: np.ndarray
    ends: np.ndarray
    values: np.ndarray
    smoothing: Smoothing | None = None


@dataclass(frozen=True, kw_only=True)
class Tally:
    """True and false positives at each candidate, and the costs there, (..., candidates) each.

    ``positives`` and ``negatives``, (..., 1), are all there are of each. ``expected_f1``,
    (..., candidates), is there where few positives ask for it.
    """

    tp: np.ndarray
    fp: np.ndarray
    costs: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray
    expected_f1: np.ndarray | None = None


def sorted_rows(
    scores: np.ndarray, positive: np.ndarray, costs: RowCosts | None, *, smooth: bool = False
) -> Rows:
    """``smooth`` asks for the expected F1, at the highest levels, whether a positive has them."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    if smooth:
        ends = highest(ends)
    elif costs is None:  # only a level with a positive can serve best: one without adds mistakes
        found = np.cumsum(positive[order])[ends]
        ends = ends[np.diff(found, prepend=0) > 0]
    values = _middle(np.append(ordered, 0.0)[ends + 1], ordered[ends])
    part = np.empty(len(scores), np.int64)
    part[order] = np.searchsorted(ends, np.arange(len(scores)))
    return Rows(
        order=order,
        scores=ordered,
        positive=positive,
        costs=None if costs is None else costs.values,
        part=part,
        ends=ends,
        values=values,
        smoothing=smoothing(scores, positive, values) if smooth else None,
    )


def _middle(lower: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Half-way between a score and the next lower one, so that the latter stays out."""
    middle = (lower + score) / 2
    # Half-way between two neighbouring floats rounds to one of them; the lower would let it in too.
    return np.where(middle > lower, middle, score)


def tally(rows: Rows, weights: np.ndarray) -> Tally:
    """The tally of rows that count ``weights`` (C, n) times each."""
    size = len(rows.ends) + 1  # the last part is below all candidates
    counts = weighted_counts(rows.part + size * rows.positive, weights, 2 * size)
    fp, tp = np.cumsum(counts.reshape(-1, 2, size), axis=-1).swapaxes(0, 1)
    costs = np.zeros_like(tp)
    if rows.costs is not None:
        if_negative, if_positive = rows.costs.T
        added = weighted_counts(rows.part, weights * (if_positive - if_negative), size)
        costs = np.cumsum(added, axis=-1) + (weights * if_negative).sum(-1, keepdims=True)
    return Tally(
        tp=tp[:, :-1],
        fp=fp[:, :-1],
        costs=costs[:, :-1],
        positives=tp[:, -1:],
        negatives=fp[:, -1:],
        expected_f1=None if rows.smoothing is None else rows.smoothing.f1(weights),
    )


def half_way(rows: Rows, weights: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The thresholds (C,) below the rows ``end``, half-way to the next score that was drawn."""
    last = _drawn(rows, weights, end, -1)
    following = _drawn(rows, weights, end + 1, 1)
    scores = np.append(rows.scores, 0.0)  # beyond the last row
    return _middle(scores[following], scores[np.maximum(last, 0)])


def _drawn(rows: Rows, weights: np.ndarray, start: np.ndarray, step: int) -> np.ndarray:
    """The nearest place from ``start`` (C,) on whose row was drawn; -1 or n where there is none."""
    size, resample, place = len(rows.order), np.arange(len(weights)), start.copy()
    while True:  # a row is missing from a resample in one case of three: a few steps do
        inside = (place >= 0) & (place < size)
        row = rows.order[np.clip(place, 0, size - 1)]
        missing = inside & (weights[resample, row] == 0)
        if not missing.any():
            return place
        place[missing] += step
