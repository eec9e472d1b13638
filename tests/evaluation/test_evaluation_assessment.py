from dataclasses import replace

import interval_settings
import numpy as np
import pytest
from sklearn import metrics as sk

from raresight.pipeline.evaluation.assessment import assess, assess_values
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task, predict_labels
from raresight.pipeline.evaluation.metrics.registry import RANKED
from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS, wilson

SETTINGS = interval_settings.settings(0.9, 200)
BINARY = Task(classes=("common", "rare"), positive="rare")
LETTERS = ("a", "b", "c")


def values(estimates) -> dict[str, float | None]:
    return {name: estimate.value for name, estimate in estimates.items()}


def judged(outcome):
    return assess(outcome, settings=SETTINGS, rng=np.random.default_rng(0))


@pytest.fixture
def binary(scores):
    targets = np.repeat([0, 1], [150, 30])
    return predict_labels(BINARY, targets, scores(targets, 2, 1.0, 0), threshold=0.6)


def averages(actual, called) -> dict[str, float]:
    """Macro and weighted precision and F1, by scikit-learn."""
    found = {}
    for average in ("macro", "weighted"):
        values = sk.precision_recall_fscore_support(actual, called, average=average)
        names = ("precision", "recall", "f1")
        found |= {f"{average}_{name}": values[k] for k, name in enumerate(names)}
        del found[f"{average}_recall"]  # the balanced accuracy, and the accuracy
    return found


def test_a_rare_class_is_judged_as_scikit_learn_does(binary):
    actual, called = binary.targets == 1, binary.predicted == 1
    rare = binary.scores[:, 1]
    assert (called == (rare >= 0.6)).all()
    area, average = sk.roc_auc_score(actual, rare), sk.average_precision_score(actual, rare)
    others = sk.average_precision_score(~actual, 1 - rare)
    found = values(assess_values(binary).overall)
    expected = {
        "accuracy": sk.accuracy_score(actual, called),
        "balanced_accuracy": sk.balanced_accuracy_score(actual, called),
        "precision": sk.precision_score(actual, called),
        "recall": sk.recall_score(actual, called),
        "specificity": sk.recall_score(~actual, ~called),
        "npv": sk.precision_score(~actual, ~called),
        "f1": sk.f1_score(actual, called),
        **averages(actual, called),
        "mcc": sk.matthews_corrcoef(actual, called),
        "roc_auc": area,
        "macro_roc_auc": area,
        "weighted_roc_auc": area,
        "average_precision": average,
        "macro_average_precision": (average + others) / 2,
        "weighted_average_precision": (30 * average + 150 * others) / 180,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("num_classes", [3, 12])
def test_without_a_positive_class_all_classes_count_alike(scores, num_classes):
    targets = np.arange(130) % num_classes
    given = scores(targets, num_classes, 1.0, 1)
    task = Task(classes=tuple("abcdefghijkl"[:num_classes]), positive=None)
    called, onehot = given.argmax(axis=1), np.eye(num_classes)[targets]
    expected = {
        "accuracy": sk.accuracy_score(targets, called),
        "balanced_accuracy": sk.balanced_accuracy_score(targets, called),
        **averages(targets, called),
        "mcc": sk.matthews_corrcoef(targets, called),
    }
    for average in ("macro", "weighted"):
        expected[f"{average}_roc_auc"] = sk.roc_auc_score(
            targets, given, multi_class="ovr", average=average
        )
        expected[f"{average}_average_precision"] = sk.average_precision_score(
            onehot, given, average=average
        )
    if num_classes > 10:
        expected["top_5_accuracy"] = sk.top_k_accuracy_score(targets, given, k=5)
    found = values(assess_values(predict_labels(task, targets, given)).overall)
    assert found == pytest.approx(expected, abs=1e-9)


def test_of_several_classes_the_positive_one_is_judged_against_the_rest(scores):
    targets = np.arange(120) % 3
    given = scores(targets, 3, 1.0, 2)
    outcome = predict_labels(Task(classes=LETTERS, positive="b"), targets, given, threshold=0.4)
    called = given[:, 1] >= 0.4
    assert ((outcome.predicted == 1) == called).all()
    assert (outcome.predicted[~called] == 2 * (given[:, 2] > given[:, 0])[~called]).all()
    found = values(assess_values(outcome).overall)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(targets == 1, called))
    assert found["f1"] == pytest.approx(sk.f1_score(targets == 1, called))
    expected = sk.f1_score(targets, outcome.predicted, average="macro")
    assert found["macro_f1"] == pytest.approx(expected)


@pytest.mark.parametrize("method", ["wilson", "clopper_pearson"])
def test_proportions_have_the_interval_asked_for_and_the_rest_contain_their_value(binary, method):
    asked = replace(SETTINGS, proportion_interval=method)
    overall = assess(binary, settings=asked, rng=np.random.default_rng(0)).overall
    (tn, fp), (fn, tp) = binary.confusion.tolist()
    expected = {
        "accuracy": (tn + tp, 180),
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "npv": (tn, tn + fn),
    }
    for name, (successes, trials) in expected.items():
        assert overall[name].interval == PROPORTIONS[method](successes, trials, confidence=0.9)
    without = {f"{kind}_{name}" for kind in ("macro", "weighted") for name in RANKED}
    for name, estimate in overall.items():
        assert name in without or estimate.low < estimate.value < estimate.high


def test_rows_of_one_group_widen_every_interval(binary):
    def doubled(values):
        return np.repeat(values, 2, axis=0)

    twice = Predictions(
        task=BINARY,
        targets=doubled(binary.targets),
        scores=doubled(binary.scores),
        predicted=doubled(binary.predicted),
        groups=doubled(np.arange(180)),
    )
    many = interval_settings.settings(0.9, 2000)
    rng = np.random.default_rng(0)
    grouped = assess(twice, settings=many, rng=rng).overall
    naive = assess(replace(twice, groups=None), settings=many, rng=rng).overall
    for name in ("accuracy", "recall", "f1", "mcc"):
        (low, high), (naive_low, naive_high) = grouped[name].interval, naive[name].interval
        assert grouped[name].value == pytest.approx(naive[name].value)
        # Half the rows that count: wider by the root of two.
        assert high - low > 1.15 * (naive_high - naive_low)


def test_macro_values_have_intervals(scores):
    targets = np.arange(120) % 3
    outcome = predict_labels(
        Task(classes=LETTERS, positive=None), targets, scores(targets, 3, 1.0, 1)
    )
    for estimate in judged(outcome).overall.values():
        assert estimate.low < estimate.value < estimate.high


def test_without_a_bootstrap_there_are_values_alone(binary):
    assert {estimate.interval for estimate in assess_values(binary).overall.values()} == {None}
    assert values(assess_values(binary).overall) == values(judged(binary).overall)


def test_the_same_stream_gives_the_same_intervals(binary):
    assert judged(binary) == judged(binary)


def test_calling_nothing_positive_is_undefined_with_a_reason():
    targets = np.repeat([0, 1], [9, 3])
    outcome = predict_labels(BINARY, targets, np.tile([0.9, 0.1], (12, 1)), threshold=0.5)
    overall = judged(outcome).overall
    for name in ("precision", "mcc"):
        assert overall[name].value is None
        assert overall[name].interval is None
    assert overall["precision"].reason == "nothing was predicted to be 'rare'"
    assert overall["recall"].value == 0


def test_a_set_without_positives_has_no_recall_and_says_why():
    outcome = predict_labels(BINARY, np.zeros(4, int), np.tile([0.9, 0.1], (4, 1)), threshold=0.5)
    overall = judged(outcome).overall
    undefined = {name for name, estimate in overall.items() if estimate.value is None}
    assert undefined >= {"recall", "f1", "average_precision", "roc_auc", "balanced_accuracy"}
    assert overall["average_precision"].reason == "there is no image of 'rare'"
    assert overall["accuracy"].value == 1


def test_a_perfect_result_is_no_certain_one():
    targets = np.repeat([0, 1], [40, 10])
    outcome = predict_labels(BINARY, targets, np.eye(2)[targets], threshold=0.5)
    overall = judged(outcome).overall
    assert overall["f1"].value == 1
    assert 0.8 < overall["f1"].low < 1 == overall["f1"].high
    assert 0.6 < overall["roc_auc"].low < 1 == overall["roc_auc"].high
    assert overall["recall"].low == pytest.approx(wilson(10, 10, confidence=0.9)[0])


def test_the_name_of_the_rest():
    assert BINARY.negative == "common"
    assert Task(classes=LETTERS, positive="b").negative == "not b"
