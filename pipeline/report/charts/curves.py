"""Precision against recall, and the ROC curve, with bands and the chosen operating point."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.ranking import Curve, curve, precision_at
from raresight.pipeline.evaluation.uncertainty.bands import BAND, false_positive_band
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings
from raresight.pipeline.report.charts.painters import Band, Line, Plane
from raresight.pipeline.wording.numbers import level, share

_MOST_POINTS = 400


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """The outcomes to draw, by the name of their line, the model's on clean test images first.

    ``rates`` (2, points) are the ends of the false-positive rate's interval at each of 100 recalls;
    None where no band can be drawn.
    """

    outcomes: Mapping[str, Predictions]
    confidence: float
    rates: np.ndarray | None

    @property
    def first(self) -> Predictions:
        return next(iter(self.outcomes.values()))

    @property
    def band_name(self) -> str:
        return f"{level(self.confidence)} interval"


def ranked(outcomes: Mapping[str, Predictions], *, settings: IntervalSettings) -> Ranked | None:
    """What the curves need; None where the test set holds one class only."""
    test = next(iter(outcomes.values()))
    positive = test.main_ranking.positive
    if positive.all() or not positive.any():
        return None
    rates = None
    if test.task.positive is not None:
        rates = false_positive_band(
            test.main_ranking, test.groups, confidence=settings.confidence_level
        )
    return Ranked(outcomes=outcomes, confidence=settings.confidence_level, rates=rates)


def precision_recall(data: Ranked, *, prevalence: float | None) -> Plane:
    """At ``prevalence``, or at the test set's own."""
    own = float(data.first.main_ranking.positive.mean())
    level = own if prevalence is None else prevalence
    band = None
    if data.rates is not None:
        low, high = data.rates
        ends = [precision_at(BAND, rate, level) for rate in (high, low)]
        band = Band(data.band_name, BAND, ends[0], ends[1])
    point = _operating_point(data.first)
    if point is not None:
        recall, rate = point
        precision = float(precision_at(np.array(recall), np.array(rate), level))
        point = (recall, precision) if np.isfinite(precision) else None
    return Plane(
        x="recall",
        y="precision",
        lines=tuple(
            Line(
                label,
                kind,
                at.recall,
                precision_at(at.recall, at.false_positive_rate, level),
                at.threshold,
            )
            for label, kind, at in _points(data)
        ),
        title=f"Precision against recall where {share(level)} of the images are positive",
        band=band,
        point=point,
        level=level,
    )


def roc(data: Ranked) -> Plane:
    """Recall against the false-positive rate."""
    point = _operating_point(data.first)
    return Plane(
        x="false-positive rate (1 - specificity)",
        y="recall",
        lines=tuple(
            Line(
                label,
                kind,
                np.append(0, at.false_positive_rate),
                np.append(0, at.recall),
                np.append(np.nan, at.threshold),
            )
            for label, kind, at in _points(data)
        ),
        title="ROC curve: recall against the false-positive rate",
        band=None
        if data.rates is None
        else Band(data.band_name, BAND, data.rates[0], data.rates[1], True),
        point=None if point is None else point[::-1],
        diagonal="no skill",
    )


def _points(data: Ranked) -> Iterator[tuple[str, str, Curve]]:
    kinds = ("model", "perturbed", *BASELINES)
    for (label, outcome), kind in zip(data.outcomes.items(), kinds, strict=False):
        yield label, kind, curve(outcome.main_ranking, max_points=_MOST_POINTS)


def _operating_point(outcome: Predictions) -> tuple[float, float] | None:
    """Recall and false-positive rate at the chosen threshold; None without a positive class."""
    if outcome.task.positive is None:
        return None
    (tn, fp), (fn, tp) = outcome.task.focus(outcome.confusion).tolist()
    return tp / (tp + fn), fp / (tn + fp)
