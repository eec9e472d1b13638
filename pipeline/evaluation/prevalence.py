"""What a result means where the positive class is rarer than in the test set.

Recall (sensitivity) and specificity belong to the classifier; precision, F1, accuracy and average
precision also to the share of positives. So the first two are measured on an enriched test set, and
the others follow at deployment prevalence.
"""

import math
from collections.abc import Sequence

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.deployed_ranking import average_precision_at
from raresight.pipeline.evaluation.metrics.registry import METRICS, shown, undefined
from raresight.pipeline.evaluation.uncertainty.effective import Counts, too_few_groups
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import Interval, ratio_interval
from raresight.pipeline.evaluation.uncertainty.outcomes import Worth, groups_of, worth_of_kinds
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

MILLION = 1_000_000
# From so many positives and false positives on the ratio of their shares has an interval of its own
# that covers; one of fewer ends at 0, or hangs on a single image.
RATIO_POSITIVES, RATIO_FALSE_POSITIVES = 30, 3
_INCOMPLETE = Estimate(value=None, reason="it needs positive and negative images")

Values = dict[str, float | None]


def at_prevalence(*, recall: float, specificity: float, prevalence: float) -> Values:
    """Expected values where the share ``prevalence`` of images is positive; all in [0, 1].

    Those of METRICS that are shown at deployment prevalence and depend on the decisions, and what a
    million images hold. None where undefined: the precision where nothing is predicted positive,
    the negative predictive value where everything is.
    """
    tp, tn = recall * prevalence, specificity * (1 - prevalence)
    fn, fp = prevalence - tp, (1 - specificity) * (1 - prevalence)
    counts = np.array([[tn, fp], [fn, tp]])
    values: Values = {}
    for name in shown("deployment", positive=True):
        metric = METRICS[name]
        if (found := metric.decided(counts)) is not None:
            value = float(found if metric.scope == "set" else found[1])
            values[name] = None if math.isnan(value) else value
    values["predicted_positives_per_million"] = (tp + fp) * MILLION
    values["misses_per_million"] = fn * MILLION
    return values


def reweight_to_prevalence(
    counts: np.ndarray,
    *,
    prevalence: float,
    positive: str,
    settings: IntervalSettings,
    worth: Sequence[Worth] | None = None,
) -> dict[str, Estimate]:
    """Figures at ``prevalence`` from ``counts`` (2, 2) of the negatives and of the positives.

    ``worth`` are the independent images that negatives and positives are worth, where some belong
    together.

    Two intervals of proportions at sqrt(confidence) hold together with ``confidence``, as positives
    and negatives are different images. Every figure is monotone in recall and specificity, so its
    extremes over the two intervals are at corners: its interval covers at least as often as it
    says. The recall depends on the positives alone and keeps its plain interval, and the precision
    on one ratio, whose interval is narrower. Where there are no false positives, precision and F1
    have no value, but a bound. ``positive`` is what the class is called where there is a reason to
    give.
    """
    (tn, fp), (fn, tp) = counts.tolist()
    if not (tp + fn and tn + fp):
        names = at_prevalence(recall=0, specificity=0, prevalence=prevalence)
        return dict.fromkeys(names, _INCOMPLETE)
    values = at_prevalence(recall=tp / (tp + fn), specificity=tn / (tn + fp), prevalence=prevalence)
    (_, negatives), (_, positives) = worth or ((0, (tn, tn + fp)), (0, (tp, tp + fn)))
    if negatives is None or positives is None:
        reason = too_few_groups(tn + fp if negatives is None else tp + fn)
        return {name: Estimate(value=value, reason=reason) for name, value in values.items()}
    plain = settings.proportion(*positives)
    assert plain is not None  # there are images of both kinds
    ends = _corners(positives, negatives, prevalence, settings)
    estimates = {
        name: _between(value, [end[name] for end in ends], undefined_at(name, positive))
        for name, value in values.items()
    }
    estimates["recall"] = Estimate(value=values["recall"], low=plain[0], high=plain[1])
    if positives[1] >= RATIO_POSITIVES and tp and fp >= RATIO_FALSE_POSITIVES:
        estimates["precision"] = _precision(counts, plain, negatives, prevalence, settings)
    if tp and not fp:
        estimates |= {name: _at_least(estimates[name], tn) for name in ("precision", "f1")}
    return estimates


def _corners(
    positives: tuple[float, float],
    negatives: tuple[float, float],
    prevalence: float,
    settings: IntervalSettings,
) -> list[Values]:
    """The figures at the ends of the intervals of recall and specificity that hold together."""
    joint = math.sqrt(settings.confidence_level)
    recalls = settings.proportion(*positives, confidence_level=joint)
    specificities = settings.proportion(*negatives, confidence_level=joint)
    return [
        at_prevalence(recall=recall, specificity=specificity, prevalence=prevalence)
        for recall in recalls or ()
        for specificity in specificities or ()
    ]


def _precision(
    counts: np.ndarray,
    recalls: Interval,
    negatives: Counts,
    prevalence: float,
    settings: IntervalSettings,
) -> Estimate:
    """The precision is a function of recall / false-positive rate alone: by that ratio's interval.

    At 30 positives it covers 92 to 98 %, where that of both at their worst covers 98 to 100.
    """
    (tn, fp), (fn, tp) = counts.tolist()
    recall, rate = tp / (tp + fn), fp / (tn + fp)
    rates = settings.proportion(negatives[1] - negatives[0], negatives[1])
    assert rates is not None  # there are negatives
    odds = (1 - prevalence) / prevalence
    low, high = (
        1 / (1 + odds / ratio) for ratio in ratio_interval((recall, recalls), (rate, rates))
    )
    return Estimate(value=1 / (1 + odds * rate / recall), low=low, high=high)


def _at_least(estimate: Estimate, negatives: int) -> Estimate:
    """Where no false positive was seen the rate may be anything below a bound: no value."""
    assert estimate.low is not None
    reason = f"at least {estimate.low:.2g}: no false positive among {negatives:,} negatives"
    return Estimate(value=None, low=estimate.low, high=estimate.high, reason=reason)


def undefined_at(name: str, positive: str) -> str:
    """Why a value of :func:`at_prevalence` is undefined."""
    return undefined(name, positive) if name in METRICS else ""


def _between(value: float | None, corners: list[float | None], reason: str) -> Estimate:
    if value is None:
        return Estimate(value=None, reason=reason)
    known = [corner for corner in corners if corner is not None]
    return Estimate(value=value, low=min(known), high=max(known))


def deploy(
    outcome: Predictions,
    *,
    prevalence: float,
    settings: IntervalSettings,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """What :func:`reweight_to_prevalence` gives, and the average precision at ``prevalence``."""
    task = outcome.task
    assert task.positive is not None  # without one there is no prevalence
    estimates = reweight_to_prevalence(
        task.focus(outcome.confusion),
        prevalence=prevalence,
        positive=task.positive,
        settings=settings,
        worth=worth_of_kinds(outcome),
    )
    return estimates | {"average_precision": _ranked(outcome, prevalence, settings, rng)}


def _ranked(
    outcome: Predictions, prevalence: float, settings: IntervalSettings, rng: np.random.Generator
) -> Estimate:
    ranking = outcome.main_ranking
    if not all(counts.sum() for counts in ranking.counts()):
        return _INCOMPLETE
    return average_precision_at(
        ranking, groups_of(outcome), prevalence=prevalence, settings=settings, rng=rng
    )


def by_chance(share: float, prevalence: float, *, positive: str) -> dict[str, Estimate]:
    """The figures of predicting a ``share`` of images positive without looking; 0: none, ever."""
    values = at_prevalence(recall=share, specificity=1 - share, prevalence=prevalence)
    estimates = {
        name: Estimate(value=value, reason=undefined_at(name, positive) if value is None else None)
        for name, value in values.items()
    }
    return estimates | {"average_precision": Estimate(value=prevalence)}
