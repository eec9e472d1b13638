"""Intervals cover the truth as often as they say, also at ten positives: by simulation."""

import interval_settings
import numpy as np
import pytest
from scipy.stats import norm

from raresight.pipeline.evaluation.assessment import assess
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.registry import METRICS

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
