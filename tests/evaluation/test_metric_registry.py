"""Every registered metric: an independent reference, what it depends on, and its interval."""

import interval_settings
import numpy as np
import pytest
import sklearn.metrics as sk
from dvc.compare import show_metrics

from raresight.pipeline.evaluation.assessment import assess, assess_values
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.metrics.calibration import calibration_figures
from raresight.pipeline.evaluation.metrics.registry import METRICS, PRIMARY, shown
from raresight.pipeline.evaluation.output.results_json import headline
from raresight.pipeline.evaluation.prevalence import at_prevalence

CLASSES = tuple("abcdefghijkl")  # more than ten: being among the five best says something
SETTINGS = interval_settings.settings(0.95, 200)


def averaged(of, average):
    return lambda y, p, s: of(y, p, average=average, zero_division=0)


def of_scores(of, average):
    return lambda y, p, s: of(np.eye(len(CLASSES))[y], s, average=average)


def ece_by_halves(score, happened):
    """Gaps of ten bins of as many images: the sign from a half of a bin, the size from the other.

    Two halves of a bin lie as far above its gap as below, by the standard error of the bin; the
    closed form of calibration.py is the mean over all halves.
    """
    rng, total = np.random.Generator(np.random.PCG64(0)), 0.0
    for part in np.array_split(np.argsort(score, kind="stable"), 10):
        observed = happened[part].mean()
        gap = observed - score[part].mean()
        off = rng.normal(0, np.sqrt(observed * (1 - observed) / (len(part) - 1)), 400_000)
        total += len(part) * np.mean(np.sign(gap + off) * (gap - off))
    return total / len(score)


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
    "npv": lambda y, p, s: sk.precision_score(~y, ~p),
    "average_precision": lambda y, p, s: sk.average_precision_score(y, s),
    "roc_auc": lambda y, p, s: sk.roc_auc_score(y, s),
}
# (probabilities, happened) of an event to the value.
CALIBRATION = {
    "ece": ece_by_halves,
    "brier": lambda s, y: sk.brier_score_loss(y, s),
    "brier_skill": lambda s, y: 1 - sk.brier_score_loss(y, s) / y.var(),
    "log_loss": lambda s, y: sk.log_loss(y, s),
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
    return assess(outcome, settings=SETTINGS, rng=rng).overall


def test_every_metric_has_a_reference():
    assert set(METRICS) == {*ALIKE, *POSITIVE, *CALIBRATION}


@pytest.mark.parametrize("name", ALIKE)
def test_a_metric_of_all_classes_is_that_of_scikit_learn(name):
    outcome = drawn(None)
    expected = ALIKE[name](outcome.targets, outcome.predicted, outcome.scores)
    assert overall(outcome)[name].value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", POSITIVE)
def test_a_metric_of_the_positive_class_is_that_of_scikit_learn(name):
    outcome = drawn("c")
    positive, chosen = outcome.targets == 2, outcome.predicted == 2
    expected = POSITIVE[name](positive, chosen, outcome.scores[:, 2])
    assert overall(outcome)[name].value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", CALIBRATION)
def test_a_metric_of_probabilities_is_that_of_its_reference(name):
    rng = np.random.Generator(np.random.PCG64(2))
    truth = rng.uniform(0.2, 0.8, 400)
    happened = rng.random(400) < truth
    score = np.clip(truth + 0.15, 0, 1)  # too sure of it, all along
    both = np.stack([1 - score, score], axis=1)
    found = calibration_figures(both, happened.astype(int), 1, bins=10, settings=SETTINGS)
    expected = CALIBRATION[name](score, happened)
    assert found[name].value == pytest.approx(expected, abs=1e-9 if name != "ece" else 2e-3)


@pytest.mark.parametrize("name", [name for name, one in METRICS.items() if one.formula])
def test_the_page_computes_a_metric_as_we_do(name):
    """Formulas are arithmetic that Python reads as JavaScript does; and the sliders need each
    metric to be monotone in recall and specificity, whose intervals make its own."""
    metric, rng = METRICS[name], np.random.Generator(np.random.PCG64(4))
    for _ in range(50):
        tp, fp, fn, tn = rng.integers(1, 99, 4).tolist()
        value = metric.decided(np.array([[tn, fp], [fn, tp]]))
        expected = float(value if metric.scope == "set" else value[1])
        assert eval(metric.formula, {"tp": tp, "fp": fp, "fn": fn, "tn": tn}) == pytest.approx(
            expected
        )
    for prevalence in (1e-4, 0.3):
        along = np.linspace(0.01, 0.99, 30)
        for fixed in (0.2, 0.9):
            curves = (
                [at_prevalence(recall=r, specificity=fixed, prevalence=prevalence) for r in along],
                [at_prevalence(recall=fixed, specificity=c, prevalence=prevalence) for c in along],
            )
            for curve in curves:
                steps = np.diff([one[name] for one in curve])
                assert (steps >= -1e-12).all() or (steps <= 1e-12).all()


def test_a_metric_of_the_sliders_has_a_formula_and_is_known_at_any_prevalence():
    for name in shown("sliders", positive=True):
        assert METRICS[name].formula
        assert name in shown("deployment", positive=True)


def test_perfect_answers_are_the_best_a_metric_knows():
    """In the direction in which it is optimized."""
    targets = np.repeat([0, 1], [30, 30])
    task = Task(classes=("a", "b"), positive="b")
    good, poor = (
        predict_labels(task, targets, np.stack([1 - score, score], axis=1), threshold=0.5)
        for score in (np.repeat([0.1, 0.9], 30), np.tile([0.9, 0.1, 0.6], 20))
    )
    known = [
        {name: one.value for name, one in figures.items()}
        for figures in (
            assess_values(outcome).overall
            | calibration_figures(outcome.scores, targets, 1, bins=5, settings=SETTINGS)
            for outcome in (good, poor)
        )
    ]
    for name in set(METRICS) & set(known[0]):
        better = known[0][name] > known[1][name]
        assert better == METRICS[name].higher_is_better, name


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
    found = assess_values(one_class).overall
    assert any(one.value is None for one in found.values())
    for name, one in found.items():
        assert (one.value is None) == bool(one.reason), name


@pytest.mark.parametrize("positive", [True, False])
def test_every_view_shows_some_and_the_primary_metric_is_compared(positive):
    views = ("table", "card", "per_class", "calibration", "compare", "seeds", "headline")
    for view in (*views, *(("deployment", "prevalences", "sliders") if positive else ())):
        assert shown(view, positive=positive)
    assert PRIMARY[positive] in shown("compare", positive=positive)


@pytest.mark.parametrize("positive", [True, False])
def test_the_table_that_dvc_shows_fits_a_terminal(positive, capsys):
    row = dict.fromkeys(METRICS, -0.123456789)
    results = {"positive": "c" if positive else None, "test": row, "perturbed": row}
    results |= {"shortcut_baseline": row, "majority_baseline": row, "threshold": {"model": 0.5}}
    results |= {"deployment": {"model": row}, "calibration": {"raw": row}}
    found = headline(results)
    assert len(found) <= 16
    data = {"data/evaluation/metrics.json": {"data": found}}
    show_metrics(
        {"": {"data": data}}, all_branches=False, all_tags=False, all_commits=False, precision=5
    )
    table = capsys.readouterr().out
    assert "precision" in table
    assert max(map(len, table.splitlines())) <= 160
