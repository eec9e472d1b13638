import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.core.errors import DataError
from pipeline.evaluation.params import ThresholdRule
from pipeline.evaluation.thresholds import choose, recall_confidence

MAX_F1 = ThresholdRule(rule="max_f1")
rows = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=40).filter(
    lambda rows: any(positive for _, positive in rows)
)


def split(rows):
    scores, positive = zip(*rows, strict=True)
    return np.array(scores) / 10, np.array(positive)


def f1(positive: np.ndarray, called: np.ndarray) -> float:
    return 2 * (positive & called).sum() / (positive.sum() + called.sum())


def recall_rule(target: float) -> ThresholdRule:
    return ThresholdRule(rule="recall", target=target)


@given(rows)
def test_no_threshold_has_a_higher_f1(rows):
    scores, positive = split(rows)
    chosen = choose(MAX_F1, scores, positive).value
    best = max(f1(positive, scores >= value) for value in np.unique(scores))
    assert f1(positive, scores >= chosen) == pytest.approx(best)


@given(rows, st.floats(0.05, 1))
def test_a_recall_target_is_reached_with_the_fewest_alarms(rows, target):
    scores, positive = split(rows)
    called = scores >= choose(recall_rule(target), scores, positive).value
    assert called[positive].mean() >= target - 1e-9
    stricter = scores > scores[called].min()
    assert stricter[positive].mean() < target


@given(rows)
def test_equal_scores_are_never_parted_and_the_threshold_is_no_score(rows):
    scores, positive = split(rows)
    value = choose(MAX_F1, scores, positive).value
    assert value not in scores or value == scores.min() == 0


def test_the_threshold_is_half_way_between_the_scores_it_parts():
    scores, positive = np.array([0.1, 0.4, 0.8, 0.9]), np.array([False, False, True, True])
    assert choose(MAX_F1, scores, positive).value == pytest.approx(0.6)


def test_of_equally_good_thresholds_the_highest_is_taken():
    # Best first + - - +: calling one (1 found, 0 alarms) or all (2 found, 2 alarms) gives F1 = 2/3.
    scores, positive = np.array([0.8, 0.6, 0.4, 0.2]), np.array([True, False, False, True])
    assert choose(MAX_F1, scores, positive).value == pytest.approx(0.7)
    # The recall of 1 is reached from the first positive on, however low the threshold.
    scores, positive = np.array([0.9, 0.5, 0.1]), np.array([True, False, False])
    assert choose(recall_rule(1.0), scores, positive).value == pytest.approx(0.7)


@pytest.mark.parametrize("low", [0.3, np.nextafter(0.3, 1)])
def test_neighbouring_floats_are_parted_whichever_way_their_middle_rounds(low):
    high = np.nextafter(low, 1)
    scores, positive = np.array([low, high]), np.array([False, True])
    called = scores >= choose(MAX_F1, scores, positive).value
    assert called.tolist() == [False, True]


def test_scores_that_are_all_equal_call_everything_positive():
    scores, positive = np.full(5, 0.2), np.array([True, False, False, False, False])
    assert (scores >= choose(MAX_F1, scores, positive).value).all()


def test_without_positives_the_message_says_what_to_do():
    with pytest.raises(DataError, match=r"no image of the positive class.*split\.ratios\.val"):
        choose(MAX_F1, np.array([0.1, 0.2]), np.array([False, False]))


@given(st.integers(1, 200), st.data(), st.floats(0.05, 0.99))
def test_the_confidence_in_a_recall_is_a_binomial_tail(positives, data, target):
    found = data.draw(st.integers(1, positives))
    expected = binom.cdf(found - 1, positives, target)
    confidence = recall_confidence(target, found=found, positives=positives)
    assert confidence == pytest.approx(expected, abs=1e-9)


def test_a_tolerance_bound_at_nine_tenths_takes_29_positives():
    assert recall_confidence(0.9, found=28, positives=28) < 0.95
    assert recall_confidence(0.9, found=29, positives=29) >= 0.95


def test_nobody_can_promise_to_find_everything():
    assert recall_confidence(1.0, found=50, positives=50) == 0


def test_only_a_recall_target_comes_with_a_confidence():
    scores, positive = np.array([0.1, 0.9]), np.array([False, True])
    assert choose(MAX_F1, scores, positive).confidence is None
    assert choose(recall_rule(0.9), scores, positive).confidence == pytest.approx(0.1)
