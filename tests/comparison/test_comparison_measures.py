"""The weighted metrics against scikit-learn, which takes weights too."""

import numpy as np
import pytest
import sklearn.metrics as sk

from raresight.pipeline.comparison.measures import Measure, names
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels

RNG = np.random.default_rng(3)
BINARY = Task(classes=("common", "rare"), positive="rare")
THREE = Task(classes=("a", "b", "c"), positive=None)


def outcome_of(task, threshold=None, size=300):
    targets = np.sort(RNG.integers(0, len(task.classes), size))
    scores = RNG.dirichlet(np.ones(len(task.classes)), size).round(2)
    scores[np.arange(size), targets] += 0.3
    scores /= scores.sum(axis=1, keepdims=True)
    return predict_labels(task, targets, scores, threshold=threshold)


WEIGHTS = RNG.integers(0, 4, (5, 300)).astype(np.float32)


def test_binary_metrics_are_those_of_scikit_learn():
    outcome = outcome_of(BINARY, threshold=0.6)
    values = Measure(outcome).values(WEIGHTS)
    actual, predicted, score = outcome.targets, outcome.predicted, outcome.scores[:, 1]
    assert set(values) == set(names(BINARY))
    for row, weights in enumerate(WEIGHTS):
        expected = {
            "accuracy": sk.accuracy_score(actual, predicted, sample_weight=weights),
            "precision": sk.precision_score(actual, predicted, sample_weight=weights),
            "recall": sk.recall_score(actual, predicted, sample_weight=weights),
            "f1": sk.f1_score(actual, predicted, sample_weight=weights),
            "average_precision": sk.average_precision_score(actual, score, sample_weight=weights),
            "roc_auc": sk.roc_auc_score(actual, score, sample_weight=weights),
        }
        found = {name: values[name][row] for name in expected}
        assert found == pytest.approx(expected)


def test_multiclass_metrics_are_those_of_scikit_learn():
    outcome = outcome_of(THREE)
    values = Measure(outcome).values(WEIGHTS)
    actual, predicted = outcome.targets, outcome.predicted
    assert set(values) == set(names(THREE))
    for row, weights in enumerate(WEIGHTS):
        expected = {
            "accuracy": sk.accuracy_score(actual, predicted, sample_weight=weights),
            "balanced_accuracy": sk.balanced_accuracy_score(
                actual, predicted, sample_weight=weights
            ),
            "macro_f1": sk.f1_score(actual, predicted, average="macro", sample_weight=weights),
            "macro_average_precision": np.mean(
                [
                    sk.average_precision_score(
                        actual == k, outcome.scores[:, k], sample_weight=weights
                    )
                    for k in range(3)
                ]
            ),
        }
        found = {name: values[name][row] for name in expected}
        assert found == pytest.approx(expected)


def test_each_resample_is_decided_at_its_own_threshold():
    outcome = outcome_of(BINARY, threshold=0.6)
    thresholds = np.array([0.2, 0.6, 0.9])
    once = np.ones((3, 300), np.float32)
    values = Measure(outcome, thresholds).values(once, np.arange(3))
    for row, threshold in enumerate(thresholds):
        predicted = outcome.scores[:, 1] >= threshold
        assert values["recall"][row] == pytest.approx(sk.recall_score(outcome.targets, predicted))
    alone = Measure(outcome, thresholds).values(once)
    assert alone["recall"] == pytest.approx(values["recall"][1])
