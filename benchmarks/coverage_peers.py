"""The methods that our intervals are set beside: percentiles, corners, and closed forms."""

import math

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.ranking import (
    Ranking,
    average_precision,
    hanley_mcneil_variance,
)
from raresight.pipeline.evaluation.metrics.table import by_decision, ranking_quality
from raresight.pipeline.evaluation.prevalence import at_prevalence
from raresight.pipeline.evaluation.uncertainty.intervals import wilson
from raresight.pipeline.evaluation.uncertainty.resampling import (
    resample_cells,
    resample_rankings,
    smooth_confusion,
)

Ends = tuple[float, float]
CONFIDENCE, RESAMPLES = 0.95, 200
_Z = 1.959964


def percentiles(values: np.ndarray) -> Ends | None:
    """The middle of resampled values (R,); None where they all agree."""
    low, high = np.nanquantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return None if low == high else (float(low), float(high))


def of_decisions(outcome: Predictions, rng: np.random.Generator) -> dict[str, Ends | None]:
    """Percentiles of resamples of whole groups."""
    size = len(outcome.task.classes)
    cells = resample_cells(
        *(outcome.targets * size + outcome.predicted, outcome.targets, outcome.groups),
        num_cells=size**2,
        resamples=RESAMPLES,
        rng=rng,
    )
    drawn = by_decision(cells.reshape(-1, size, size), outcome.task)
    return {name: percentiles(values) for (label, name), values in drawn.items() if not label}


def of_ranking(outcome: Predictions, rng: np.random.Generator) -> dict[str, Ends | None]:
    """Percentiles of resamples of whole groups: average precision, and ROC-AUC."""
    drawn = resample_rankings(
        *([outcome.main_ranking], outcome.targets, ranking_quality),
        groups=outcome.groups,
        resamples=RESAMPLES,
        rng=rng,
    )[:, 0]
    return {
        "average_precision": percentiles(drawn[:, 0]),
        "roc_auc": percentiles(drawn[:, 1]),
    }


def resampled_average_precision(
    outcome: Predictions, prevalence: float, rng: np.random.Generator
) -> Ends | None:
    """Percentiles of resamples, at a prevalence."""
    drawn = resample_rankings(
        [outcome.main_ranking],
        outcome.targets,
        lambda positives, negatives: average_precision(positives, negatives, prevalence=prevalence),
        resamples=RESAMPLES,
        rng=rng,
    )
    return percentiles(drawn[:, 0])


def by_positives_alone(value: float, positives: int) -> Ends:
    """Boyd, Eng and Page: the logit interval of an average precision."""
    if value >= 1:
        return wilson(positives, positives, confidence=CONFIDENCE) or (0.0, 1.0)
    half = _Z / math.sqrt(positives * value * (1 - value))
    odds = np.exp(math.log(value / (1 - value)) + half * np.array([-1, 1]))
    return float((odds / (1 + odds))[0]), float((odds / (1 + odds))[1])


def by_exponential_scores(auc: float, variance: float, ranking: Ranking) -> Ends:
    """DeLong's variance, not below Hanley and McNeil's, in Wilson's form."""
    positives, negatives = (int(counts.sum()) for counts in ranking.counts())
    floor = hanley_mcneil_variance(auc, positives=positives, negatives=negatives)
    spread = auc * (1 - auc)
    trials = spread / max(variance, floor) if spread else min(positives, negatives)
    return wilson(auc * trials, trials, confidence=CONFIDENCE) or (0.0, 1.0)


def corners(counts: np.ndarray, prevalence: float) -> dict[str, Ends | None]:
    """Recall and specificity at their worst, from ``counts`` (2, 2)."""
    (tn, fp), (fn, tp) = counts.tolist()
    joint = math.sqrt(CONFIDENCE)
    ends = [wilson(*pair, confidence=joint) for pair in ((tp, tp + fn), (tn, tn + fp))]
    found = [
        at_prevalence(recall=recall, specificity=specificity, prevalence=prevalence)
        for recall in ends[0] or ()
        for specificity in ends[1] or ()
    ]
    return {
        name: (min(values), max(values))
        for name in ("recall", "precision")
        if None not in (values := [at[name] for at in found])
    }


def normal_mean(values: np.ndarray, kinds: np.ndarray) -> Ends:
    """The normal interval of a mean, within two kinds of rows."""
    variance = sum(
        values[kind].var(ddof=1) * kind.sum() / len(values) ** 2 for kind in (kinds, ~kinds)
    )
    half = _Z * math.sqrt(variance)
    return float(values.mean() - half), float(values.mean() + half)


def smoothed(outcome: Predictions, rng: np.random.Generator) -> dict[str, Ends | None]:
    """Percentiles of the smoothed answers of each class."""
    drawn = by_decision(
        smooth_confusion(outcome.confusion, resamples=2 * RESAMPLES, rng=rng), outcome.task
    )
    return {name: percentiles(values) for (label, name), values in drawn.items() if not label}


def squares(ends: list[Ends], shares: list[float]) -> Ends:
    """The mean of proportions by distances to their ends that add up in squares (MOVER)."""
    below = math.hypot(*(share - low for share, (low, _) in zip(shares, ends, strict=True)))
    above = math.hypot(*(high - share for share, (_, high) in zip(shares, ends, strict=True)))
    mean = sum(shares) / len(shares)
    return mean - below / len(shares), mean + above / len(shares)
