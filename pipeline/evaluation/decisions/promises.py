"""What validation can promise of new images: a recall, or a precision, with a confidence."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.pipeline.core.words import counted
from raresight.pipeline.evaluation.decisions.candidates import Tally
from raresight.pipeline.evaluation.params import PrecisionTarget, RecallTarget
from raresight.pipeline.evaluation.uncertainty.effective import alike, count_groups, has_groups
from raresight.pipeline.evaluation.uncertainty.sample_size import (
    negatives_needed,
    positives_to_promise,
    recall_confidence,
    tolerable_false_positive_rate,
)

# How the risk of a broken promise of precision is shared: the false positives decide it.
_OF_RECALL = 0.2
_ASSUMED = 0.95  # the confidence by which the images needed are counted where none is asked for


_LEAST_RATE = 1e-12  # of false positives: beyond what any sample can show


@dataclass(frozen=True, kw_only=True)
class Worth:
    """How many independent images each positive, and each negative, of validation is worth.

    At most 1, and less where images belong to groups, which are then taken to hold like images: a
    promise must hold at the worst. ``told`` says the groups of the positives, and of the negatives.
    """

    positives: float = 1.0
    negatives: float = 1.0
    told: tuple[str, str] = ("", "")


ALONE = Worth()


def worth_of_groups(groups: np.ndarray | None, positive: np.ndarray) -> Worth:
    """That of ``positive`` rows, bool (n,), of ``groups``, int (n,)."""
    if groups is None or not has_groups(groups):
        return ALONE
    shares, told = [], []
    for kind in (positive, ~positive):
        sizes = np.bincount(groups[kind])
        shares.append(1 / alike(sizes[sizes > 0]) if kind.any() else 1.0)
        told.append(" of " + counted(count_groups(groups, kind), "group"))
    return Worth(positives=shares[0], negatives=shares[1], told=(told[0], told[1]))


def recall_promise(rule: RecallTarget, at: Tally, place: int, worth: Worth) -> dict[str, Any]:
    """``confidence``, ``needed`` and ``reason`` of a recall target at a candidate."""
    total, found = int(at.positives[0, 0]), int(at.tp[0, place])
    promise: dict[str, Any] = {
        "confidence": recall_confidence(
            rule.target, found=found * worth.positives, positives=total * worth.positives
        )
    }
    if rule.confidence is None:
        return promise
    needed = positives_to_promise(rule.target, confidence=rule.confidence)
    promise["needed"] = needed
    if needed is None:
        promise["reason"] = "no sample can guarantee a recall of 1"
    elif total * worth.positives < needed:
        promise["reason"] = (
            f"it takes {needed} {_independent(worth)}positives in validation; "
            f"there are {total}{worth.told[0]}"
        )
    return promise


def precision_promise(rule: PrecisionTarget, at: Tally, place: int, worth: Worth) -> dict[str, Any]:
    """``confidence``, ``negatives_needed`` and ``reason`` of a precision target at a candidate."""
    positives, negatives = int(at.positives[0, 0]), int(at.negatives[0, 0])
    prevalence = rule.prevalence or positives / max(positives + negatives, 1)
    if prevalence >= 1:
        return {}
    found = _precision_confidence(rule, at, place, prevalence, worth)
    promise: dict[str, Any] = {"confidence": found}
    asked = rule.confidence or _ASSUMED
    if found >= (rule.confidence or 0.5):
        return promise
    needed = _negatives_needed(rule, asked, positives * worth.positives, prevalence)
    promise["negatives_needed"] = needed
    if needed is None:
        promise["reason"] = f"no sample can guarantee a precision of {rule.target:g}"
    elif negatives * worth.negatives < needed:
        promise["reason"] = (
            f"it takes {needed:,} {_independent(worth)}negatives in validation to promise a "
            f"precision of {rule.target:g} where 1 image in {1 / prevalence:,.4g} is positive; "
            f"there are {negatives:,}{worth.told[1]}"
        )
    else:
        promise["reason"] = (
            f"no threshold is sure to have a precision of {rule.target:g} with a confidence of "
            f"{asked:g}"
        )
    return promise


def precision_is_sure(
    rule: PrecisionTarget, at: Tally, worth: Worth, *, confidence: float
) -> np.ndarray:
    """How far beyond the target the bound of the precision is at each candidate, (..., candidates).

    At least 1 where the precision of new images reaches the target with ``confidence``. Exact
    bounds of recall and false-positive rate, which share the risk (Bonferroni). As lower thresholds
    only add false positives, the lowest at which these are few enough needs no correction for how
    many were looked at.
    """
    prevalence = rule.prevalence or at.positives / (at.positives + at.negatives)
    return np.asarray(_margin(rule, at.tp, at.fp, at, prevalence, worth, 1 - confidence))


def _margin(
    rule: PrecisionTarget,
    tp: np.ndarray,
    fp: np.ndarray,
    at: Tally,
    prevalence: float | np.ndarray,
    worth: Worth,
    risk: float,
) -> np.ndarray:
    from scipy.special import betaincinv

    tp, fp = tp * worth.positives, fp * worth.negatives
    positives = at.positives * worth.positives
    negatives = np.maximum(at.negatives * worth.negatives, 1e-9)
    recall = np.where(
        tp > 0,
        betaincinv(np.maximum(tp, 1e-9), positives - tp + 1, _OF_RECALL * risk),
        0.0,
    )
    rate = np.where(
        fp < negatives,
        betaincinv(fp + 1, np.maximum(negatives - fp, 1e-9), 1 - (1 - _OF_RECALL) * risk),
        1.0,
    )
    tolerable = recall * prevalence * (1 - rule.target) / (rule.target * (1 - prevalence))
    return np.asarray(tolerable / np.maximum(rate, 1e-300))


def _precision_confidence(
    rule: PrecisionTarget, at: Tally, place: int, prevalence: float, worth: Worth
) -> float:
    """The largest confidence with which the precision at a candidate reaches the target."""
    tp, fp = at.tp[:, place : place + 1], at.fp[:, place : place + 1]
    low, high = 0.0, 1.0  # of the risk
    for _ in range(40):
        middle = (low + high) / 2
        enough = float(_margin(rule, tp, fp, at, prevalence, worth, middle)[0, 0]) >= 1
        low, high = (low, middle) if enough else (middle, high)
    return 1 - high


def _negatives_needed(
    rule: PrecisionTarget, confidence: float, positives: float, prevalence: float
) -> int | None:
    """How many negatives, none of them a false positive, could promise the target at best."""
    from scipy.special import betaincinv

    risk = 1 - confidence
    recall = float(betaincinv(positives, 1.0, _OF_RECALL * risk))  # all positives found
    rate = tolerable_false_positive_rate(
        precision=rule.target, recall=recall, prevalence=prevalence
    )
    if rate < _LEAST_RATE:
        return None
    return negatives_needed(rate, false_positives=0, confidence=1 - (1 - _OF_RECALL) * risk)


def _independent(worth: Worth) -> str:
    return "independent " if any(worth.told) else ""


def positives_to_find(rule: RecallTarget, positives: float, worth: Worth) -> int:
    """How many of the positives a threshold has to find for the rule."""
    least = math.ceil(rule.target * positives - 1e-9)
    if rule.confidence is None:
        return least
    for found in range(least, int(positives)):
        sure = recall_confidence(
            rule.target, found=found * worth.positives, positives=positives * worth.positives
        )
        if sure >= rule.confidence:
            return found
    return int(positives)
