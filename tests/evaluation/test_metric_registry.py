"""Every registered metric: an independent reference, what it depends on, and its interval."""

import numpy as np
import pytest
import sklearn.metrics as sk
from dvc.compare import show_metrics

from raresight.pipeline.evaluation.assessment import assess
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.metrics.registry import METRICS, PRIMARY, shown
from raresight.pipeline.evaluation.output.results_json import headline
from raresight.pipeline.evaluation.uncertainty.methods import Bootstrap

CLASSES = tuple("abcdefghijkl")  # more than ten: being among the five best says something
BOOTSTRAP = Bootstrap(confidence=0.95, resamples=200)


def averaged(of, average):
    return lambda y, p, s: of(y, p, average=average, zero_division=0)


def of_scores(of, average):
    return lambda y, p, s: of(np.eye(len(CLASSES))[y], s, average=average)


# (actual, predicted, scores) of all classes to the value, by scikit-learn.
ALIKE = {
    "accuracy": lambda y, p, s: sk.accuracy_score(y, p),
    "balanced_accuracy": lambda y, p, s: sk.balanced_accuracy_score(y, p),
    "mcc": lambda y, p, s: sk.matthews_corrcoef(y, p),
    "macro_f1": averaged(sk.f1_score, "macro"),
    "macro_precision": averaged(sk.precision_score, "macro"),
    "macro_average_precision": of_scores(sk.average_precision_score, "macro"),
    "macro_roc_auc": of_scores(sk.roc_auc_score, "macro"),
    "weighted_f1": averaged(sk.f1_score, "weighted"),
    "weighted_precision": averaged(sk.precision_score, "weighted"),
    "weighted_average_precision": of_scores(sk.average_precision_score, "weighted"),
    "weighted_roc_auc": of_scores(sk.roc_auc_score, "weighted"),
    "top_5_accuracy": lambda y, p, s: sk.top_k_accuracy_score(y, s, k=5),
}
# (positive or not, predicted so, score) of the positive class to the value.
POSITIVE = {
    "accuracy": lambda y, p, s: sk.accuracy_score(y, p),
    "balanced_accuracy": lambda y, p, s: sk.balanced_accuracy_score(y, p),
    "mcc": lambda y, p, s: sk.matthews_corrcoef(y, p),
    "recall": lambda y, p, s: sk.recall_score(y, p),
    "precision": lambda y, p, s: sk.precision_score(y, p),
    "f1": lambda y, p, s: sk.f1_score(y, p),
    "specificity": lambda y, p, s: sk.recall_score(~y, ~p),
    "average_precision": lambda y, p, s: sk.average_precision_score(y, s),
    "roc_auc": lambda y, p, s: sk.roc_auc_score(y, s),
}


def drawn(positive: str | None, classes=CLASSES, order=None):
    """Scores that favour the actual class, decided; ``order`` renames or shuffles."""
    rng = np.random.Generator(np.random.PCG64(3))
    targets = np.arange(360) % len(CLASSES)
    raw = rng.random((360, len(CLASSES))) + 0.6 * np.eye(len(CLASSES))[targets]
    scores = raw / raw.sum(axis=1, keepdims=True)
    rows = np.arange(360) if order is None else order
    task = Task(classes=classes, positive=positive)
    return predict_labels(task, targets[rows], scores[rows], threshold=0.12)


def overall(outcome):
    rng = np.random.Generator(np.random.PCG64(1))
    return assess(outcome, bootstrap=BOOTSTRAP, rng=rng).overall


def test_every_metric_has_a_reference():
    assert set(METRICS) == {*ALIKE, *POSITIVE}


@pytest.mark.parametrize("name", ALIKE)
def test_a_metric_of_all_classes_is_that_of_scikit_learn(name):
    outcome = drawn(None)
    expected = ALIKE[name](outcome.targets, outcome.predicted, outcome.scores)
    assert overall(outcome)[name].value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", POSITIVE)
def test_a_metric_of_the_positive_class_is_that_of_scikit_learn(name):
    outcome = drawn("c")
    positive, called = outcome.targets == 2, outcome.predicted == 2
    expected = POSITIVE[name](positive, called, outcome.scores[:, 2])
    assert overall(outcome)[name].value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("positive", [None, "c"])
def test_no_metric_depends_on_the_order_of_rows_or_the_names_of_classes(positive):
    values = {name: one.value for name, one in overall(drawn(positive)).items()}
    shuffled = np.random.Generator(np.random.PCG64(5)).permutation(360)
    again = {name: one.value for name, one in overall(drawn(positive, order=shuffled)).items()}
    assert again == pytest.approx(values, abs=1e-12)
    renamed = tuple(f"class {label}" for label in CLASSES)
    other = drawn(positive and f"class {positive}", classes=renamed)
    assert {name: one.value for name, one in overall(other).items()} == values


@pytest.mark.parametrize("positive", [None, "c"])
def test_a_value_lies_in_its_interval_and_an_undefined_one_has_a_reason(positive):
    for one in overall(drawn(positive)).values():
        assert one.value is not None
        if one.interval is not None:
            assert one.low <= one.value <= one.high


@pytest.mark.parametrize("positive", [None, "c"])
def test_what_a_test_set_cannot_know_has_a_reason(positive):
    """All images are of one class, so that whatever needs another is undefined."""
    one_class = drawn(positive, order=np.arange(5, 360, len(CLASSES)))
    found = assess(one_class).overall
    assert any(one.value is None for one in found.values())
    for name, one in found.items():
        assert (one.value is None) == bool(one.reason), name


@pytest.mark.parametrize("positive", [True, False])
def test_every_view_shows_some_and_the_primary_metric_is_compared(positive):
    for view in ("table", "card", "compare", "seeds", "headline"):
        assert shown(view, positive=positive)
    assert PRIMARY[positive] in shown("compare", positive=positive)


@pytest.mark.parametrize("positive", [True, False])
def test_the_table_that_dvc_shows_fits_a_terminal(positive, capsys):
    row = dict.fromkeys(METRICS, 0.123456789)
    results = {"positive": "c" if positive else None, "test": row, "perturbed": row}
    results |= {"shortcut_baseline": row, "majority_baseline": row, "threshold": {"model": 0.5}}
    results |= {"deployment": {"model": row}, "calibration": {"raw": {"ece": 0.1}}}
    found = headline(results)
    assert len(found) <= 16
    data = {"data/evaluation/metrics.json": {"data": found}}
    show_metrics(
        {"": {"data": data}}, all_branches=False, all_tags=False, all_commits=False, precision=5
    )
    table = capsys.readouterr().out
    assert "precision" in table
    assert max(map(len, table.splitlines())) <= 160
