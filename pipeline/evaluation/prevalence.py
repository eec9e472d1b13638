"""What a result means where the positive class is rarer than in the test set.

Recall (sensitivity) and specificity belong to the classifier; precision, F1, accuracy and average
precision also to the share of positives. So the first two are measured on an enriched test set, and
the others follow at deployment prevalence.
"""

import math
from collections.abc import Sequence

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.ranking import average_precision
from raresight.pipeline.evaluation.metrics.registry import METRICS, shown, undefined
from raresight.pipeline.evaluation.uncertainty.effective import too_few_groups
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import percentile_estimate
from raresight.pipeline.evaluation.uncertainty.outcomes import Worth, worth_of_kinds
from raresight.pipeline.evaluation.uncertainty.resampling import resample_rankings
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

MILLION = 1_000_000
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
    says. The recall depends on the positives alone and keeps its plain interval. ``positive`` is
    what the class is called where there is a reason to give.
    """
    (tn, fp), (fn, tp) = counts.tolist()
    if not (tp + fn and tn + fp):
        names = at_prevalence(recall=0, specificity=0, prevalence=prevalence)
        return dict.fromkeys(names, _INCOMPLETE)
    values = at_prevalence(recall=tp / (tp + fn), specificity=tn / (tn + fp), prevalence=prevalence)
    (_, negatives), (_, positives) = worth or ((0, (tn, tn + fp)), (0, (tp, tp + fn)))
    if negatives is None or positives is None:
        images = tn + fp if negatives is None else tp + fn
        return {
            name: Estimate(value=value, reason=too_few_groups(images))
            for name, value in values.items()
        }
    joint = math.sqrt(settings.confidence_level)
    recalls = settings.proportion(*positives, confidence_level=joint)
    specificities = settings.proportion(*negatives, confidence_level=joint)
    plain = settings.proportion(*positives)
    assert recalls is not None  # there are images of both kinds
    assert specificities is not None
    assert plain is not None
    ends = [
        at_prevalence(recall=recall, specificity=specificity, prevalence=prevalence)
        for recall in recalls
        for specificity in specificities
    ]
    estimates = {
        name: _between(value, [end[name] for end in ends], undefined_at(name, positive))
        for name, value in values.items()
    }
    return estimates | {"recall": Estimate(value=values["recall"], low=plain[0], high=plain[1])}


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
    return estimates | {"average_precision": _reweighted(outcome, prevalence, settings, rng)}


def _reweighted(
    outcome: Predictions, prevalence: float, settings: IntervalSettings, rng: np.random.Generator
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
        resamples=settings.num_bootstrap,
        rng=rng,
        groups=outcome.groups,
    )
    return percentile_estimate(value, resampled[:, 0], confidence=settings.confidence_level)


def by_chance(share: float, prevalence: float, *, positive: str) -> dict[str, Estimate]:
    """The figures of predicting a ``share`` of images positive without looking; 0: none, ever."""
    values = at_prevalence(recall=share, specificity=1 - share, prevalence=prevalence)
    estimates = {
        name: Estimate(value=value, reason=undefined_at(name, positive) if value is None else None)
        for name, value in values.items()
    }
    return estimates | {"average_precision": Estimate(value=prevalence)}
