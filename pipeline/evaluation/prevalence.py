"""What a result means where the positive class is rarer than in the test set.

Sensitivity and specificity belong to the classifier; precision, F1, accuracy and average precision
also to the share of positives. So the first two are measured on an enriched test set and carried to
the prevalence of the place where the model will be used.
"""

import math
from collections.abc import Mapping

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.ranking import average_precision
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS, percentile_estimate
from raresight.pipeline.evaluation.uncertainty.methods import Bootstrap
from raresight.pipeline.evaluation.uncertainty.resampling import resample_rankings

MILLION = 1_000_000
_INCOMPLETE = Estimate(value=None, reason="it needs positive and negative images")
_REASONS = {
    "precision": "nothing was predicted positive",
    "npv": "everything was predicted positive",
}


def at_prevalence(
    *, sensitivity: float, specificity: float, prevalence: float
) -> dict[str, float | None]:
    """Expected figures where the share ``prevalence`` of images is positive; all in [0, 1].

    ``precision``, the positive predictive value, is s p / (s p + (1 - c)(1 - p)), None where
    nothing is called positive; ``npv``, the negative one, is None where everything is.
    """
    found = sensitivity * prevalence
    false = (1 - specificity) * (1 - prevalence)
    alarms = found + false
    cleared = specificity * (1 - prevalence)
    passed = cleared + (prevalence - found)
    return {
        "accuracy": found + cleared,
        "precision": found / alarms if alarms else None,
        "npv": cleared / passed if passed else None,
        "recall": sensitivity,
        "f1": 2 * found / (alarms + prevalence),
        "predicted_positives_per_million": alarms * MILLION,
        "misses_per_million": (prevalence - found) * MILLION,
    }


def reweight_to_prevalence(
    *,
    found: tuple[int, int],
    cleared: tuple[int, int],
    prevalence: float,
    confidence: float,
    proportions: str = "wilson",
) -> dict[str, Estimate]:
    """Figures at ``prevalence`` from (successes, trials) of the positives and of the negatives.

    Two intervals of shares at sqrt(confidence) hold together with ``confidence``, as positives and
    negatives are different images. Every figure is monotone in both shares, so its extremes over
    the two intervals are at corners: its interval covers at least as often as it says. The recall
    depends on the positives alone and keeps its plain interval.
    """
    if not found[1] or not cleared[1]:
        names = at_prevalence(sensitivity=0, specificity=0, prevalence=prevalence)
        return dict.fromkeys(names, _INCOMPLETE)
    interval, joint = PROPORTIONS[proportions], math.sqrt(confidence)
    ends = [
        at_prevalence(sensitivity=sensitivity, specificity=specificity, prevalence=prevalence)
        for sensitivity in interval(*found, confidence=joint)
        for specificity in interval(*cleared, confidence=joint)
    ]
    values = at_prevalence(
        sensitivity=found[0] / found[1], specificity=cleared[0] / cleared[1], prevalence=prevalence
    )
    estimates = {name: _between(name, value, ends) for name, value in values.items()}
    low, high = interval(*found, confidence=confidence)
    return estimates | {"recall": Estimate(value=values["recall"], low=low, high=high)}


def _between(name: str, value: float | None, ends: list[Mapping[str, float | None]]) -> Estimate:
    if value is None:
        return Estimate(value=None, reason=_REASONS[name])
    corners = [end[name] for end in ends]
    return Estimate(value=value, low=min(corners), high=max(corners))


def deploy(
    outcome: Predictions, *, prevalence: float, bootstrap: Bootstrap, rng: np.random.Generator
) -> dict[str, Estimate]:
    """What :func:`reweight_to_prevalence` gives, and the average precision at ``prevalence``."""
    (right, alarms), (missed, hit) = outcome.task.focus(outcome.confusion).tolist()
    estimates = reweight_to_prevalence(
        found=(hit, hit + missed),
        cleared=(right, right + alarms),
        prevalence=prevalence,
        confidence=bootstrap.confidence,
        proportions=bootstrap.proportions,
    )
    return estimates | {"average_precision": _reweighted(outcome, prevalence, bootstrap, rng)}


def _reweighted(
    outcome: Predictions, prevalence: float, bootstrap: Bootstrap, rng: np.random.Generator
) -> Estimate:
    def statistic(positives: np.ndarray, negatives: np.ndarray) -> np.ndarray:
        return average_precision(positives, negatives, prevalence=prevalence)

    ranking = outcome.main_ranking
    value = float(statistic(*ranking.counts()))
    if math.isnan(value):
        return _INCOMPLETE
    resampled = resample_rankings(
        [ranking],
        outcome.targets,
        statistic,
        resamples=bootstrap.resamples,
        rng=rng,
        groups=outcome.groups,
    )
    return percentile_estimate(value, resampled[:, 0], confidence=bootstrap.confidence)


def by_chance(share: float, prevalence: float) -> dict[str, Estimate]:
    """The figures of calling a ``share`` of images positive without looking; 0: none, ever."""
    values = at_prevalence(sensitivity=share, specificity=1 - share, prevalence=prevalence)
    reasons = {"precision": "nothing is predicted positive"} if share == 0 else {}
    estimates = {
        name: Estimate(value=value, reason=reasons.get(name)) for name, value in values.items()
    }
    return estimates | {"average_precision": Estimate(value=prevalence)}
