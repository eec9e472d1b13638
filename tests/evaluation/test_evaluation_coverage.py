"""Intervals cover the truth as often as they say, also at ten positives: by simulation."""

import interval_settings
import numpy as np
import pytest
from scipy.stats import norm

from raresight.pipeline.evaluation.assessment import assess
from raresight.pipeline.evaluation.decisions.predictions import (
    Predictions,
    Task,
    predict_labels,
)
from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.ranking import hanley_mcneil_variance
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.evaluation.uncertainty.intervals import average_precision_interval
from raresight.pipeline.evaluation.uncertainty.methods import intervals

TASK = Task(classes=("common", "rare"), positive="rare")
NEGATIVES, REPEATS = 500, 300
# A share of 300 has a standard error of 1.3 points at 95 %: the simulation's own noise, twice.
NOISE = 2 * np.sqrt(0.95 * 0.05 / REPEATS)


def expected(positives: int, skill: float, threshold: float) -> dict[str, float]:
    """The true values where scores are N(0, 1) and N(skill, 1)."""
    recall, false = norm.sf(threshold - skill), norm.sf(threshold)
    counts = np.array(
        [
            [NEGATIVES * (1 - false), NEGATIVES * false],
            [positives * (1 - recall), positives * recall],
        ]
    )
    quantiles = (np.arange(100_000) + 0.5) / 100_000
    above = norm.sf(norm.isf(quantiles) + skill)  # false positive rate at each recall
    found, alarms = quantiles * positives, above * NEGATIVES
    return {
        "recall": recall,
        "specificity": 1 - false,
        "precision": METRICS["precision"].decided(counts)[1],
        "f1": confusion.f1(counts)[1],
        "macro_f1": confusion.f1(counts).mean(),
        "balanced_accuracy": confusion.balanced_accuracy(counts),
        "mcc": confusion.mcc(counts),
        "roc_auc": norm.cdf(skill / np.sqrt(2)),
        "average_precision": (found / (found + alarms)).mean(),
    }


@pytest.mark.parametrize("positives", [10, 30, 100])
def test_intervals_cover_as_often_as_they_say(positives):
    skill, threshold = 2.5, 1.8
    truth = expected(positives, skill, threshold)
    targets = np.repeat([0, 1], [NEGATIVES, positives])
    settings = interval_settings.settings(0.95, 400)
    rng = np.random.default_rng(positives)
    covered = dict.fromkeys(truth, 0)
    for _ in range(REPEATS):
        scores = rng.normal(size=len(targets)) + skill * targets
        outcome = predict_labels(
            TASK, targets, np.stack([-scores, scores], axis=1), threshold=threshold
        )
        overall = assess(outcome, settings=settings, rng=rng).overall
        for name, value in truth.items():
            low, high = overall[name].interval
            covered[name] += low <= value <= high
    assert {name for name, times in covered.items() if times / REPEATS < 0.93 - NOISE} == set()


@pytest.mark.parametrize("positives", [10, 30, 100])
def test_clopper_and_pearson_never_cover_less_than_they_say(positives):
    from scipy.stats import binom

    from raresight.pipeline.evaluation.uncertainty.intervals import clopper_pearson

    found = np.arange(positives + 1)
    ends = np.array([clopper_pearson(k, positives, confidence=0.95) for k in found])
    for share in np.linspace(0.02, 0.98, 49):
        inside = (ends[:, 0] <= share) & (share <= ends[:, 1])
        assert binom.pmf(found, positives, share)[inside].sum() >= 0.95


@pytest.mark.parametrize(("classes", "images", "right"), [(10, 10, 0.98), (20, 5, 0.98)])
def test_means_over_many_small_classes_cover(classes, images, right):
    """Intervals of the classes added up, and percentiles, covered 84 to 87 %."""
    shares = np.full((classes, classes), (1 - right) / (classes - 1))
    np.fill_diagonal(shares, right)
    truth = {
        "balanced_accuracy": right,
        "macro_f1": confusion.f1(shares * images).mean(),
        "macro_precision": right,
    }
    task = Task(classes=tuple(f"c{k:02}" for k in range(classes)), positive=None)
    targets = np.repeat(np.arange(classes), images)
    settings, rng = interval_settings.settings(0.95, 100), np.random.default_rng(classes)
    covered, repeats = dict.fromkeys(truth, 0), 100
    for _ in range(repeats):
        rows = [np.repeat(np.arange(classes), rng.multinomial(images, row)) for row in shares]
        predicted = np.concatenate(rows)
        outcome = Predictions(
            task=task, targets=targets, scores=np.eye(classes)[predicted], predicted=predicted
        )
        found = intervals(outcome, settings, rng)
        for name, value in truth.items():
            low, high = found["", name]
            covered[name] += low <= value <= high
    least = 0.93 - 2 * np.sqrt(0.95 * 0.05 / repeats)
    assert {
        name: times / repeats for name, times in covered.items() if times / repeats < least
    } == {}


def test_many_positives_make_a_ranking_known_better_than_their_number_alone():
    draw = np.random.default_rng(0)
    targets = np.repeat([0, 1], [2000, 200])
    scores = norm.cdf(draw.normal(size=2200) + 4 * targets)
    outcome = predict_labels(TASK, targets, np.stack([1 - scores, scores], 1), threshold=0.9)
    found = assess(outcome, settings=interval_settings.settings(), rng=draw).overall
    ap, auc = found["average_precision"], found["roc_auc"]
    alone = average_precision_interval(ap.value, None, positives=200, confidence=0.95)
    assert ap.high - ap.low < 0.8 * (alone[1] - alone[0])
    floor = hanley_mcneil_variance(auc.value, positives=200, negatives=2000)
    assert auc.high - auc.low < 0.8 * 2 * 1.96 * np.sqrt(floor)
