import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from pipeline.evaluation.intervals import percentile_estimate, trials_needed, wilson


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(0, 500), st.integers(1, 500), st.floats(0.5, 0.999))
def test_wilson_agrees_with_scipy(successes, trials, confidence):
    successes = min(successes, trials)
    expected = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    found = wilson(successes, trials, confidence=confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


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


@pytest.mark.parametrize(("width", "published"), [(0.2, 38), (0.1, 141), (0.05, 558)])
def test_trials_needed_for_a_recall_of_nine_tenths(width, published):
    assert trials_needed(0.9, width=width, confidence=0.95) == pytest.approx(published, abs=1)


@given(st.floats(0, 1), st.floats(0.05, 0.9))
def test_trials_needed_is_the_least_number(share, width):
    needed = trials_needed(share, width=width, confidence=0.95)
    widths = [np.ptp(wilson(share * n, n, confidence=0.95)) for n in (needed - 1, needed) if n > 0]
    assert widths[-1] <= width
    assert len(widths) == 1 or widths[0] > width


def test_the_interval_is_the_middle_of_the_resamples():
    estimate = percentile_estimate(0.5, np.arange(1001) / 1000, confidence=0.9)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.5, 0.05, 0.95))


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
