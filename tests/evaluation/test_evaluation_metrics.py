import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.registry import METRICS, undefined

accuracy, precision, specificity = (
    METRICS[name].decided for name in ("accuracy", "precision", "specificity")
)
answers = st.integers(2, 4).flatmap(
    lambda k: st.tuples(
        st.just(k),
        st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=40),
    )
)


def counts_of(pairs, num_classes):
    actual, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    return actual, predicted, confusion.confusion(actual, predicted, num_classes=num_classes)


@given(answers)
def test_agrees_with_scikit_learn_wherever_defined(answers):
    num_classes, pairs = answers
    labels = list(range(num_classes))
    actual, predicted, counts = counts_of(pairs, num_classes)
    expected_precision, recall, f1, support = sk.precision_recall_fscore_support(
        actual, predicted, labels=labels, zero_division=np.nan
    )
    assert (counts == sk.confusion_matrix(actual, predicted, labels=labels)).all()
    assert accuracy(counts) == pytest.approx(sk.accuracy_score(actual, predicted), abs=1e-9)
    np.testing.assert_allclose(precision(counts), expected_precision, atol=1e-9)
    np.testing.assert_allclose(confusion.recall(counts), recall, atol=1e-9)
    np.testing.assert_allclose(confusion.f1(counts), np.where(support, f1, np.nan), atol=1e-9)
    if support.all():
        expected = sk.balanced_accuracy_score(actual, predicted)
        assert confusion.balanced_accuracy(counts) == pytest.approx(expected, abs=1e-9)
    if len(set(actual)) > 1 and len(set(predicted)) > 1:
        expected = sk.matthews_corrcoef(actual, predicted)
        assert confusion.mcc(counts) == pytest.approx(expected, abs=1e-9)


@given(answers)
def test_specificity_is_the_recall_of_everything_else(answers):
    num_classes, pairs = answers
    actual, predicted, counts = counts_of(pairs, num_classes)
    for label in range(num_classes):
        others = actual != label
        expected = (predicted[others] != label).mean() if others.any() else np.nan
        np.testing.assert_allclose(specificity(counts)[label], expected)


@given(answers)
def test_one_against_rest_is_the_confusion_of_two_classes(answers):
    num_classes, pairs = answers
    actual, predicted, counts = counts_of(pairs, num_classes)
    expected = confusion.confusion(1 * (actual == 1), 1 * (predicted == 1), num_classes=2)
    assert (confusion.one_against_rest(counts, 1) == expected).all()


def test_leading_axes_are_resamples():
    pair = np.array([[[3, 1], [2, 4]], [[5, 0], [1, 1]]])
    for function in (accuracy, confusion.recall, confusion.f1, confusion.mcc):
        np.testing.assert_allclose(function(pair)[1], function(pair[1]))


def test_without_positives_recall_and_f1_are_undefined_even_with_alarms():
    counts = np.array([[8, 2], [0, 0]])
    assert np.isnan(confusion.recall(counts)[1])
    assert np.isnan(confusion.f1(counts)[1])
    assert np.isnan(confusion.balanced_accuracy(counts))
    assert precision(counts)[1] == 0


def test_calling_nothing_positive_leaves_precision_and_mcc_undefined():
    counts = np.array([[99, 0], [1, 0]])
    assert np.isnan(precision(counts)[1])
    assert np.isnan(confusion.mcc(counts))
    assert confusion.f1(counts)[1] == 0


def test_no_images_at_all_give_no_accuracy():
    assert np.isnan(accuracy(np.zeros((2, 2), int)))


def test_a_reason_names_the_class():
    assert undefined("precision", "mitotic") == "nothing was predicted to be 'mitotic'"
