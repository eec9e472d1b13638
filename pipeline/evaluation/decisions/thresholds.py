"""Choosing the decision threshold, on validation scores and nothing else."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.decisions.costs import RowCosts
from raresight.pipeline.evaluation.metrics.confusion import ratio
from raresight.pipeline.evaluation.params import RecallTarget, ThresholdRule
from raresight.pipeline.runtime.errors import DataError

_RESAMPLES = 200
_CHUNK = 2**21  # weights held at a time


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Scores of at least ``value`` are called positive.

    ``score`` is what the rule is about (F1, recall, precision, or cost an image) on validation, and
    ``optimism`` how much better that looks there than it is on new images, because the threshold
    was chosen there. ``confidence`` is, for a recall target, the confidence with which the recall
    on new images is at least the target; ``needed`` the least number of positives in validation
    that could promise it with the confidence asked for. ``reason`` says why the target cannot be
    promised.
    """

    value: float
    score: float
    positives: int
    optimism: float | None = None
    confidence: float | None = None
    needed: int | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Validation rows, best score first, and the places where a threshold can part them.

    ``ends`` is int (candidates,) the last row above each threshold, ``values``
    the thresholds. ``positive`` is bool (n,), ``costs`` float (n, 2) what a row costs where it is
    not called and where it is; both in that order.
    """

    ends: np.ndarray
    values: np.ndarray
    positive: np.ndarray
    costs: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Positives and negatives above each candidate, and the costs there, (..., candidates) each.

    ``positives`` and ``negatives`` are all there are of each.
    """

    hits: np.ndarray
    alarms: np.ndarray
    costs: np.ndarray
    positives: int
    negatives: int


def choose(
    rule: ThresholdRule,
    scores: np.ndarray,
    positive: np.ndarray,
    *,
    costs: RowCosts | None = None,
    rng: np.random.Generator | None = None,
) -> Threshold:
    """The threshold that ``rule`` asks for, from ``scores`` (n,) in [0, 1] and ``positive`` (n,).

    ``costs`` are needed by the cost rule. With ``rng`` the optimism is estimated, by choosing again
    on resamples. Candidates lie half-way between neighbouring distinct scores, so equal
    scores are never parted; the lowest calls everything positive, which reaches any recall. Among
    candidates that serve the rule equally well the highest wins: it raises the fewest alarms.

    Raises DataError when no row is positive.
    """
    total = int(positive.sum())
    if not total:
        raise DataError(
            "validation has no image of the positive class, so no threshold can be chosen. "
            "Draw more of them (generate.sources) or give val a larger share (split.ratios.val)."
        )
    rows = _sorted(scores, positive, costs)
    whole = _tally(rows, np.ones((1, len(scores))))
    place = int(_pick(rule, whole)[0])
    score = _objective(rule, whole)[0]
    never = costs.never if costs else math.inf
    return Threshold(
        value=float(rows.values[place]),
        score=float(_besides(score[place], never)),
        positives=total,
        optimism=_optimism(rule, rows, score, never, rng) if rng is not None else None,
        **_promise(rule, whole, place, float(score[place]), never),
    )


def _promise(
    rule: ThresholdRule, tally: Tally, place: int, score: float, never: float
) -> Mapping[str, Any]:
    total = tally.positives
    if rule.name == "cost" and (many := int(_forbidden(score, never))):
        return {"reason": f"{many} mistakes that must never happen do so at every threshold"}
    if rule.name == "precision" and not score >= rule.target - 1e-9:
        return {"reason": f"no threshold reaches a precision of {rule.target:g} on validation"}
    if rule.name != "recall":
        return {}
    found = int(tally.hits[0, place])
    promise = {"confidence": recall_confidence(rule.target, found=found, positives=total)}
    if rule.confidence is None:
        return promise
    needed = positives_needed(rule.target, confidence=rule.confidence)
    promise["needed"] = needed
    if needed is None:
        promise["reason"] = "no sample can guarantee a recall of 1"
    elif total < needed:
        promise["reason"] = f"it takes {needed} positives in validation; there are {total}"
    return promise


def _forbidden(cost: float | np.ndarray, never: float) -> np.ndarray:
    """How many mistakes that must never happen are in a cost; sums are off by a rounding or two."""
    return np.floor(cost / never + 1e-9)


def _besides(score: float | np.ndarray, never: float) -> np.ndarray:
    """The score, or the cost of all other mistakes."""
    if math.isinf(never):
        return np.asarray(score)
    return np.maximum(score - never * _forbidden(score, never), 0.0)


def recall_confidence(target: float, *, found: int, positives: int) -> float:
    """How surely a threshold with ``found`` of ``positives`` above it has a recall >= ``target``.

    The recall beyond the m-th highest of n positive scores follows Beta(m, n - m + 1), whatever the
    distribution of the scores (Wilks, https://doi.org/10.1214/aoms/1177731788); that it exceeds t
    has the probability that Binomial(n, t) is below m. At t = 0.9 this needs n >= 29 for 0.95.
    """
    if target >= 1:
        return 0.0
    below = (
        math.exp(
            math.lgamma(positives + 1)
            - math.lgamma(k + 1)
            - math.lgamma(positives - k + 1)
            + k * math.log(target)
            + (positives - k) * math.log1p(-target)
        )
        for k in range(found)
    )
    return min(1.0, math.fsum(below))


def positives_needed(target: float, *, confidence: float) -> int | None:
    """The least number of positives that can promise a recall of ``target``; None for 1.

    With n positives the lowest of their scores has a recall >= t with confidence 1 - t^n.
    """
    if target >= 1:
        return None
    return math.ceil(math.log1p(-confidence) / math.log(target) - 1e-9)


def _sorted(scores: np.ndarray, positive: np.ndarray, costs: RowCosts | None) -> Rows:
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    distinct = ordered[ends]
    lower = np.append(distinct[1:], 0.0)
    middle = (lower + distinct) / 2
    # Half-way between two neighbouring floats rounds to one of them; the lower would let it in too.
    values = np.where(middle > lower, middle, distinct)
    added = costs.values[order] if costs else np.zeros((len(scores), 2))
    return Rows(ends=ends, values=values, positive=positive[order], costs=added)


def _tally(rows: Rows, weights: np.ndarray) -> Tally:
    """The tally of rows that count ``weights`` (..., n) times each."""
    hits = np.cumsum(weights * rows.positive, axis=-1)
    called = np.cumsum(weights, axis=-1)
    uncalled_cost, called_cost = rows.costs.T
    costs = np.cumsum(weights * (called_cost - uncalled_cost), axis=-1)
    costs += (weights * uncalled_cost).sum(-1, keepdims=True)
    total = int(rows.positive.sum())
    return Tally(
        hits=hits[..., rows.ends],
        alarms=(called - hits)[..., rows.ends],
        costs=costs[..., rows.ends],
        positives=total,
        negatives=len(rows.positive) - total,
    )


def _objective(rule: ThresholdRule, tally: Tally) -> np.ndarray:
    """What the rule is about at each candidate, (..., candidates)."""
    recall = tally.hits / tally.positives
    if rule.name == "recall":
        return recall
    if rule.name == "max_f1":
        return 2 * tally.hits / (tally.positives + tally.hits + tally.alarms)
    if rule.name == "cost":
        return tally.costs
    rows = tally.positives + tally.negatives
    prevalence = rule.prevalence or tally.positives / rows
    true = recall * prevalence
    false = tally.alarms / max(tally.negatives, 1) * (1 - prevalence)
    return ratio(true, true + false)


def _pick(rule: ThresholdRule, tally: Tally) -> np.ndarray:
    """The candidate that serves the rule best, int (...)."""
    score = _objective(rule, tally)
    if rule.name == "max_f1":
        return score.argmax(-1)
    if rule.name == "cost":
        return score.argmin(-1)
    if rule.name == "recall":
        return (tally.hits >= _positives_to_find(rule, tally.positives)).argmax(-1)
    reached = score >= rule.target - 1e-9
    lowest = np.where(reached, tally.hits, -1).argmax(-1)
    return np.where(reached.any(-1), lowest, np.nan_to_num(score, nan=-1).argmax(-1))


def _positives_to_find(rule: RecallTarget, positives: int) -> float:
    least = math.ceil(rule.target * positives - 1e-9)
    if rule.confidence is None:
        return least
    for found in range(least, positives):
        if recall_confidence(rule.target, found=found, positives=positives) >= rule.confidence:
            return found
    return positives


def _optimism(
    rule: ThresholdRule, rows: Rows, score: np.ndarray, never: float, rng: np.random.Generator
) -> float:
    """How much better the rule's score looks where the threshold was chosen, on average.

    On each resample of validation the threshold is chosen again; what it scores there, less what it
    scores on validation itself (Efron 1983, https://doi.org/10.1080/01621459.1983.10477973).
    """
    gains = []
    for weights in _resampled_weights(rows.positive, rng):
        tally = _tally(rows, weights)
        place = _pick(rule, tally)
        there = np.take_along_axis(_objective(rule, tally), place[:, None], axis=1)[:, 0]
        gains.append(_besides(there, never) - _besides(score[place], never))
    gained = float(np.nanmean(np.concatenate(gains)))
    return -gained if rule.name == "cost" else gained


def _resampled_weights(positive: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each row is drawn, (C, n), positives and negatives each among themselves."""
    kinds = [rows for rows in (np.flatnonzero(positive), np.flatnonzero(~positive)) if len(rows)]
    size = len(positive)
    chunk = max(1, _CHUNK // size)
    for done in range(0, _RESAMPLES, chunk):
        count = min(chunk, _RESAMPLES - done)
        drawn = np.concatenate([rng.choice(rows, (count, len(rows))) for rows in kinds], axis=1)
        drawn += np.arange(0, count * size, size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size)
