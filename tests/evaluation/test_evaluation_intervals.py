import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from raresight.pipeline.evaluation.uncertainty.influence import Spread
from raresight.pipeline.evaluation.uncertainty.intervals import (
    auc_interval,
    average_precision_interval,
    clopper_pearson,
    mean_interval,
    mean_of_proportions,
    percentile_estimate,
    wilson,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(0, 500), st.integers(1, 500), st.floats(0.5, 0.999))
def test_wilson_agrees_with_scipy(successes, trials, confidence):
    successes = min(successes, trials)
    expected = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    found = wilson(successes, trials, confidence=confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(0, 500), st.integers(1, 500), st.floats(0.5, 0.999))
def test_clopper_and_pearson_agree_with_scipy(successes, trials, confidence):
    successes = min(successes, trials)
    expected = binomtest(successes, trials).proportion_ci(confidence, method="exact")
    found = clopper_pearson(successes, trials, confidence=confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_mean_of_one_proportion_has_its_interval():
    found = mean_of_proportions([(7, 10)], confidence=0.95)
    assert found == pytest.approx(wilson(7, 10, confidence=0.95))


def test_the_mean_of_independent_proportions_is_surer_than_each():
    ends = wilson(70, 100, confidence=0.95)
    low, high = mean_of_proportions([(70, 100)] * 4, confidence=0.95)
    assert (0.7 - low, high - 0.7) == pytest.approx(((0.7 - ends[0]) / 2, (ends[1] - 0.7) / 2))
    assert mean_of_proportions([(70, 100), (0, 0)], confidence=0.95) is None


def test_the_logit_interval_by_hand():
    # logit(.8) = log 4; half width 1.96 / sqrt(25 * .8 * .2) = .98
    low, high = average_precision_interval(0.8, None, positives=25, confidence=0.95)
    odds = np.exp(np.log(4) + np.array([-1, 1]) * 1.959964 / 2)
    assert (low, high) == pytest.approx(tuple(odds / (1 + odds)))
    assert average_precision_interval(1.0, None, positives=25, confidence=0.95)[0] < 1


def test_an_auc_known_to_a_variance_has_the_interval_of_as_many_trials():
    # A variance of .9 * .1 / 40 is that of a proportion of 40 trials.
    known = Spread(variance=0.09 / 40, degrees_of_freedom=1e9, positives=99, negatives=1000)
    found = auc_interval(0.9, known, confidence=0.95)
    assert found == pytest.approx(wilson(36, 40, confidence=0.95))


@pytest.mark.parametrize(
    "interval",
    [
        lambda value, known: auc_interval(value, known, confidence=0.95),
        lambda value, known: average_precision_interval(
            value, known, positives=100, confidence=0.95
        ),
    ],
)
def test_many_rows_know_the_spread_of_a_ranking_by_students_quantile(interval):
    # logit(.8) = log 4; .02 / (.8 * .2) = .125 on the logit, 2.228 of them by 10 degrees.
    known = Spread(variance=0.02**2, degrees_of_freedom=10, positives=100, negatives=100)
    odds = np.exp(np.log(4) + np.array([-1, 1]) * 2.228139 * 0.125)
    assert interval(0.8, known) == pytest.approx(tuple(odds / (1 + odds)))
    perfect = Spread(variance=0.0, degrees_of_freedom=1e9, positives=12, negatives=500)
    low, high = auc_interval(1.0, perfect, confidence=0.95)
    assert (low, high) == pytest.approx(wilson(12, 12, confidence=0.95))


def test_a_mean_of_two_kinds_does_not_know_how_they_differ():
    # Each kind has a variance of .01 / 3: the mean of 80 has one of (40 + 40) (.01 / 3) / 80^2.
    values = np.repeat([0.2, 0.4, 0.7, 0.9], 20)
    kinds = np.repeat([False, True], 40)
    variance = 2 * 40 * (0.01 * 40 / 39) / 80**2
    # As many degrees of freedom as rows: the squares they are known by are all alike.
    trials = 0.55 * 0.45 / variance
    found = mean_interval(values, kinds, None, confidence=0.95)
    assert found == pytest.approx(wilson(0.55 * trials, trials, confidence=0.95), rel=1e-3)


def test_the_interval_of_a_mean_stays_inside_and_counts_groups():
    values = np.concatenate([np.full(95, 1e-4), np.full(5, 0.9)])
    kinds = np.arange(100) >= 90
    low, high = mean_interval(values, kinds, None, confidence=0.95)
    assert 0 < low < values.mean() < high < 1
    # The five errors are of one patient, whose images tell as much as one.
    patients = np.concatenate([np.arange(95), np.full(5, 95)])
    grouped_low, grouped_high = mean_interval(values, kinds, patients, confidence=0.95)
    assert grouped_low < low
    assert grouped_high > high


def test_a_kind_with_one_image_has_no_spread():
    found = mean_interval(np.array([0.1, 0.2, 0.3]), np.arange(3) > 1, None, confidence=0.95)
    assert "no interval" in found


def test_wilson_covers_93_percent_of_samples_of_ten_at_a_recall_of_nine_tenths():
    found = range(11)
    covered = [low <= 0.9 <= high for low, high in (wilson(k, 10, confidence=0.95) for k in found)]
    assert binom.pmf(found, 10, 0.9)[covered].sum() == pytest.approx(0.93, abs=0.005)


def test_wilson_has_no_interval_without_trials():
    assert wilson(0, 0, confidence=0.95) is None


def test_wilson_has_a_width_where_nothing_went_wrong():
    low, high = wilson(36, 36, confidence=0.95)
    assert high == 1
    assert low == pytest.approx(36 / (36 + 1.959964**2))


def test_the_interval_is_the_middle_of_the_resamples():
    estimate = percentile_estimate(0.5, np.arange(1001) / 1000, confidence=0.9)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.5, 0.05, 0.95))


def test_the_interval_always_holds_the_value():
    estimate = percentile_estimate(1.0, np.arange(1001) / 1001, confidence=0.9)
    assert estimate.low < 0.06
    assert estimate.high == 1.0


def test_a_few_undefined_resamples_are_left_out():
    values = np.concatenate([np.arange(1001) / 1000, [np.nan] * 50])
    estimate = percentile_estimate(0.5, values, confidence=0.9)
    assert estimate.interval == pytest.approx((0.05, 0.95))


def test_many_undefined_resamples_leave_no_interval():
    estimate = percentile_estimate(0.5, np.array([0.4, 0.5, np.nan]), confidence=0.9)
    assert estimate.interval is None
    assert "undefined" in estimate.reason


def test_resamples_that_all_agree_are_no_interval_of_width_zero():
    estimate = percentile_estimate(1.0, np.ones(100), confidence=0.95)
    assert estimate.interval is None
    assert "agree" in estimate.reason
