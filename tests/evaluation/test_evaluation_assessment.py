import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.evaluation.assessment import Bootstrap, assess
from pipeline.evaluation.intervals import wilson
from pipeline.evaluation.outcome import Task, answer

BOOTSTRAP = Bootstrap(confidence=0.9, resamples=200)
BINARY = Task(classes=("common", "rare"), positive="rare")
LETTERS = ("a", "b", "c")


def values(estimates) -> dict[str, float | None]:
    return {name: estimate.value for name, estimate in estimates.items()}


def judged(outcome):
    return assess(outcome, bootstrap=BOOTSTRAP, rng=np.random.default_rng(0))


@pytest.fixture
def binary(scores):
    targets = np.repeat([0, 1], [150, 30])
    return answer(BINARY, targets, scores(targets, 2, 1.0, 0), threshold=0.6)


def test_a_rare_class_is_judged_as_scikit_learn_does(binary):
    actual, called = binary.targets == 1, binary.predicted == 1
    rare = binary.scores[:, 1]
    assert (called == (rare >= 0.6)).all()
    assert values(assess(binary).overall) == pytest.approx(
        {
            "accuracy": sk.accuracy_score(actual, called),
            "balanced_accuracy": sk.balanced_accuracy_score(actual, called),
            "precision": sk.precision_score(actual, called),
            "recall": sk.recall_score(actual, called),
            "specificity": sk.recall_score(~actual, ~called),
            "f1": sk.f1_score(actual, called),
            "macro_f1": sk.f1_score(actual, called, average="macro"),
            "mcc": sk.matthews_corrcoef(actual, called),
            "roc_auc": sk.roc_auc_score(actual, rare),
            "average_precision": sk.average_precision_score(actual, rare),
        },
        abs=1e-9,
    )


def test_without_a_positive_class_all_classes_count_alike(scores):
    targets = np.arange(120) % 3
    given = scores(targets, 3, 1.0, 1)
    outcome = answer(Task(classes=LETTERS, positive=None), targets, given)
    called, onehot = given.argmax(axis=1), np.eye(3)[targets]
    assert values(assess(outcome).overall) == pytest.approx(
        {
            "accuracy": sk.accuracy_score(targets, called),
            "balanced_accuracy": sk.balanced_accuracy_score(targets, called),
            "macro_precision": sk.precision_score(targets, called, average="macro"),
            "macro_f1": sk.f1_score(targets, called, average="macro"),
            "mcc": sk.matthews_corrcoef(targets, called),
            "macro_roc_auc": sk.roc_auc_score(targets, given, multi_class="ovr"),
            "macro_average_precision": sk.average_precision_score(onehot, given),
        },
        abs=1e-9,
    )


def test_of_several_classes_the_positive_one_is_judged_against_the_rest(scores):
    targets = np.arange(120) % 3
    given = scores(targets, 3, 1.0, 2)
    outcome = answer(Task(classes=LETTERS, positive="b"), targets, given, threshold=0.4)
    called = given[:, 1] >= 0.4
    assert ((outcome.predicted == 1) == called).all()
    assert (outcome.predicted[~called] == 2 * (given[:, 2] > given[:, 0])[~called]).all()
    found = values(assess(outcome).overall)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(targets == 1, called))
    assert found["f1"] == pytest.approx(sk.f1_score(targets == 1, called))
    expected = sk.f1_score(targets, outcome.predicted, average="macro")
    assert found["macro_f1"] == pytest.approx(expected)


def test_proportions_have_wilson_intervals_and_the_rest_contain_their_value(binary):
    overall = judged(binary).overall
    (right, alarms), (missed, hit) = binary.confusion.tolist()
    expected = {
        "accuracy": (right + hit, 180),
        "precision": (hit, hit + alarms),
        "recall": (hit, hit + missed),
        "specificity": (right, right + alarms),
    }
    for name, (successes, trials) in expected.items():
        assert overall[name].interval == wilson(successes, trials, confidence=0.9)
    for estimate in overall.values():
        assert estimate.low < estimate.value < estimate.high


def test_macro_values_have_intervals(scores):
    targets = np.arange(120) % 3
    outcome = answer(Task(classes=LETTERS, positive=None), targets, scores(targets, 3, 1.0, 1))
    for estimate in judged(outcome).overall.values():
        assert estimate.low < estimate.value < estimate.high


def test_without_a_bootstrap_there_are_values_alone(binary):
    assert {estimate.interval for estimate in assess(binary).overall.values()} == {None}
    assert values(assess(binary).overall) == values(judged(binary).overall)


def test_the_same_stream_gives_the_same_intervals(binary):
    assert judged(binary) == judged(binary)


def test_calling_nothing_positive_is_undefined_with_a_reason():
    targets = np.repeat([0, 1], [9, 3])
    outcome = answer(BINARY, targets, np.tile([0.9, 0.1], (12, 1)), threshold=0.5)
    overall = judged(outcome).overall
    for name in ("precision", "mcc"):
        assert overall[name].value is None
        assert overall[name].interval is None
    assert overall["precision"].reason == "nothing was called 'rare'"
    assert overall["recall"].value == 0


def test_a_set_without_positives_has_no_recall_and_says_why():
    outcome = answer(BINARY, np.zeros(4, int), np.tile([0.9, 0.1], (4, 1)), threshold=0.5)
    overall = judged(outcome).overall
    undefined = {name for name, estimate in overall.items() if estimate.value is None}
    assert undefined >= {"recall", "f1", "average_precision", "roc_auc", "balanced_accuracy"}
    assert overall["average_precision"].reason == "there is no image of 'rare'"
    assert overall["accuracy"].value == 1


def test_a_perfect_result_has_no_bootstrap_interval_of_width_zero():
    targets = np.repeat([0, 1], [40, 10])
    outcome = answer(BINARY, targets, np.eye(2)[targets], threshold=0.5)
    overall = judged(outcome).overall
    assert overall["f1"].value == 1
    assert overall["f1"].interval is None
    assert overall["recall"].low == pytest.approx(wilson(10, 10, confidence=0.9)[0])


def test_the_name_of_the_rest():
    assert BINARY.negative == "common"
    assert Task(classes=LETTERS, positive="b").negative == "not b"
