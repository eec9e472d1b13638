"""Choosing the decision threshold, on validation scores and nothing else."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.decisions.candidates import (
    Rows,
    Tally,
    half_way,
    sorted_rows,
    tally,
)
from raresight.pipeline.evaluation.decisions.costs import RowCosts
from raresight.pipeline.evaluation.decisions.promises import (
    ALONE,
    Worth,
    positives_to_find,
    precision_is_sure,
    precision_promise,
    recall_promise,
    worth_of_groups,
)
from raresight.pipeline.evaluation.metrics.confusion import ratio
from raresight.pipeline.evaluation.params import (
    LowestCost,
    MaxF1,
    PrecisionTarget,
    RecallTarget,
    ThresholdRule,
)
from raresight.pipeline.runtime.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Scores of at least ``value`` are predicted positive.

    ``score`` is what the rule is about (F1, recall, precision, or cost an image) on validation, and
    ``optimism`` how much better that looks there than it is on new images, because the threshold
    was chosen there. ``confidence`` is, for a target of recall or precision, the confidence with
    which that of new images is at least the target; ``needed`` and ``negatives_needed`` the least
    number of positives, and of negatives, in validation that could promise it with the confidence
    asked for. ``reason`` says why the target cannot be promised.
    """

    value: float
    score: float
    positives: int
    optimism: float | None = None
    confidence: float | None = None
    needed: int | None = None
    negatives_needed: int | None = None
    reason: str | None = None


def choose(
    rule: ThresholdRule,
    scores: np.ndarray,
    positive: np.ndarray,
    *,
    costs: RowCosts | None = None,
    resamples: Iterable[np.ndarray] | None = None,
    groups: np.ndarray | None = None,
) -> Threshold:
    """The threshold that ``rule`` asks for, from ``scores`` (n,) in [0, 1] and ``positive`` (n,).

    ``costs`` are needed by the cost rule. With ``resamples``, how often each row is drawn, (C, n)
    at a time, the optimism is estimated, by choosing again on each. Candidates lie half-way between
    neighbouring distinct scores, so equal scores are never parted; the lowest predicts everything
    positive, which reaches any recall. Among candidates that serve the rule equally well the
    highest wins: it has the fewest false positives. With few positives max F1 goes by the expected
    F1 (:mod:`raresight.pipeline.evaluation.decisions.smoothing`). Promises count ``groups``, int
    (n,).

    Raises DataError when no row is positive.
    """
    total = int(positive.sum())
    if not total:
        raise DataError(
            "validation has no image of the positive class, so no threshold can be chosen. "
            "Draw more of them (generate.sources) or give val a larger share (split.ratios.val)."
        )
    rows = _rows(rule, scores, positive, costs)
    whole = tally(rows, np.ones((1, len(scores))))
    worth = worth_of_groups(groups, positive)
    place = int(_pick(rule, whole, worth)[0])
    score = _objective(rule, whole)[0]
    never = costs.never if costs else math.inf
    return Threshold(
        value=float(rows.values[place]),
        score=float(_besides(score[place], never)),
        positives=total,
        optimism=(
            None if resamples is None else _optimism(rule, rows, score, never, resamples, worth)
        ),
        **_promise(rule, whole, place, float(score[place]), never, worth),
    )


def choose_again(
    rule: ThresholdRule,
    scores: np.ndarray,
    positive: np.ndarray,
    resamples: Iterable[np.ndarray],
    *,
    costs: RowCosts | None = None,
) -> np.ndarray:
    """The threshold that :func:`choose` takes on each of ``resamples``, float (R,)."""
    rows = _rows(rule, scores, positive, costs)
    found = []
    for weights in resamples:
        place = _pick(rule, tally(rows, weights))
        found.append(half_way(rows, weights, rows.ends[place]))
    return np.concatenate(found)


def _rows(
    rule: ThresholdRule, scores: np.ndarray, positive: np.ndarray, costs: RowCosts | None
) -> Rows:
    few = isinstance(rule, MaxF1) and positive.sum() < rule.smooth_below
    return sorted_rows(scores, positive, costs, smooth=bool(few))


def _promise(
    rule: ThresholdRule, at: Tally, place: int, score: float, never: float, worth: Worth
) -> dict[str, Any]:
    if isinstance(rule, LowestCost) and (many := int(_forbidden(score, never))):
        return {"reason": f"{many} mistakes that must never happen do so at every threshold"}
    if isinstance(rule, RecallTarget):
        return recall_promise(rule, at, place, worth)
    if isinstance(rule, PrecisionTarget):
        promise = precision_promise(rule, at, place, worth)
        if not score >= rule.target - 1e-9:
            promise["reason"] = f"no threshold reaches a precision of {rule.target:g} on validation"
        return promise
    return {}


def _forbidden(cost: float | np.ndarray, never: float) -> np.ndarray:
    """How many mistakes that must never happen are in a cost; sums are off by a rounding or two."""
    return np.floor(cost / never + 1e-9)


def _besides(score: float | np.ndarray, never: float) -> np.ndarray:
    """The score, or the cost of all other mistakes."""
    if math.isinf(never):
        return np.asarray(score)
    return np.maximum(score - never * _forbidden(score, never), 0.0)


def _objective(rule: ThresholdRule, at: Tally) -> np.ndarray:
    """What the rule is about at each candidate, (..., candidates)."""
    recall = at.tp / at.positives
    if isinstance(rule, RecallTarget):
        return np.asarray(recall)
    if isinstance(rule, MaxF1):
        return np.asarray(2 * at.tp / (at.positives + at.tp + at.fp))
    if isinstance(rule, LowestCost):
        return at.costs
    prevalence = rule.prevalence or at.positives / (at.positives + at.negatives)
    true = recall * prevalence
    false = at.fp / np.maximum(at.negatives, 1) * (1 - prevalence)
    return ratio(true, true + false)


def _pick(rule: ThresholdRule, at: Tally, worth: Worth = ALONE) -> np.ndarray:
    """The candidate that serves the rule best, int (...)."""
    score = _objective(rule, at)
    best = np.nan_to_num(score, nan=-1)
    if at.expected_f1 is not None:
        best = at.expected_f1
    elif isinstance(rule, LowestCost):
        best = -score
    elif isinstance(rule, RecallTarget):
        needed = {n: positives_to_find(rule, int(n), worth) for n in np.unique(at.positives)}
        best = at.tp >= np.vectorize(needed.__getitem__, otypes=[float])(at.positives)
    elif isinstance(rule, PrecisionTarget):
        reached = score >= rule.target - 1e-9
        if rule.confidence is not None:
            best = precision_is_sure(rule, at, worth, confidence=rule.confidence)
            reached = best >= 1
        # The lowest that reaches it; where none does, the most precise.
        best = np.where(reached.any(-1, keepdims=True), np.where(reached, at.tp, -1), best)
    return np.asarray(best.argmax(-1))


def _optimism(
    rule: ThresholdRule,
    rows: Rows,
    score: np.ndarray,
    never: float,
    resamples: Iterable[np.ndarray],
    worth: Worth,
) -> float:
    """How much better the rule's score looks where the threshold was chosen, on average.

    On each resample of validation the threshold is chosen again. What it scores there, less what it
    scores on all of validation, is too little, as these hold the same rows (Efron 1983,
    https://doi.org/10.1080/01621459.1983.10477973: two thirds at 10 positives); what it scores on
    the rows that were not drawn is too low, as fewer rows chose it (Efron and Tibshirani 1997,
    https://doi.org/10.1080/01621459.1997.10474007). In between is right within a tenth, simulated
    at 5 to 100 positives. Costs belong to single rows: only the first is known of them.
    """
    gains, recalls, rates = [], list[np.ndarray](), list[np.ndarray]()
    for weights in resamples:
        counted = tally(rows, weights)
        place = _pick(rule, counted, worth)[:, None]
        there = np.take_along_axis(_objective(rule, counted), place, axis=1)[:, 0]
        gains.append(_besides(there, never) - _besides(score[place[:, 0]], never))
        left = tally(rows, (weights == 0).astype(float))
        recalls.append(ratio(np.take_along_axis(left.tp, place, axis=1), left.positives)[:, 0])
        rates.append(ratio(np.take_along_axis(left.fp, place, axis=1), left.negatives)[:, 0])
    gained = float(np.nanmean(np.concatenate(gains)))
    if isinstance(rule, LowestCost):
        return -gained
    whole = tally(rows, np.ones((1, len(rows.scores))))
    elsewhere = replace(
        whole,
        tp=_mean(recalls) * whole.positives,
        fp=_mean(rates) * whole.negatives,
    )
    here = score[int(_pick(rule, whole, worth)[0])]
    return (gained + float(here - np.nan_to_num(_objective(rule, elsewhere)[0, 0]))) / 2


def _mean(parts: list[np.ndarray]) -> float:
    """The mean of what is known; 0 where nothing is."""
    values = np.concatenate(parts)
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0
