import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from sklearn import metrics as sk

from pipeline.evaluation.intervals import (
    percentile_estimate,
    resample_confusion,
    resample_rankings,
    trials_needed,
    wilson,
)
from pipeline.evaluation.ranking import average_precision, rank, roc_auc


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


def test_resampled_confusion_keeps_the_classes_and_has_binomial_moments():
    counts = np.array([[80, 20, 0], [0, 0, 0], [5, 0, 45]])
    drawn = resample_confusion(counts, resamples=4000, rng=rng())
    assert (drawn.sum(axis=2) == [100, 0, 50]).all()
    np.testing.assert_allclose(drawn.mean(axis=0), counts, atol=0.3)
    assert drawn[:, 0, 1].var() == pytest.approx(100 * 0.2 * 0.8, rel=0.1)
    assert (drawn[:, 0, 2] == 0).all()


def both(positives, negatives):
    return np.stack([average_precision(positives, negatives), roc_auc(positives, negatives)], -1)


def test_the_bootstrap_agrees_with_scikit_learn_in_a_loop():
    draw = rng(1)
    positive = np.arange(120) < 30
    scores = np.round(draw.normal(size=120) + 1.2 * positive, 1)
    fast = resample_rankings(
        [rank(scores, positive)], positive.astype(int), both, resamples=2000, rng=draw
    )[:, 0]
    slow = []
    for _ in range(300):
        rows = np.concatenate([draw.integers(0, 30, 30), draw.integers(30, 120, 90)])
        sample = positive[rows], scores[rows]
        slow.append((sk.average_precision_score(*sample), sk.roc_auc_score(*sample)))
    # Tolerances are four standard errors of the loop: sd / sqrt(300), and sd / sqrt(2 * 300).
    sd = np.std(slow, axis=0)
    np.testing.assert_allclose(fast.mean(axis=0) / sd, np.mean(slow, axis=0) / sd, atol=0.24)
    np.testing.assert_allclose(fast.std(axis=0) / sd, 1, atol=0.17)


def test_several_rankings_are_resampled_by_the_same_draw():
    strata = np.repeat([0, 1], [50, 70])
    scores = rng(2).random(120)
    pair = [rank(scores, strata == 1), rank(scores, strata == 1)]
    drawn = resample_rankings(pair, strata, both, resamples=50, rng=rng(3))
    assert drawn.shape == (50, 2, 2)
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert len(np.unique(drawn[:, 0, 0])) > 40


def test_every_resample_keeps_the_size_of_each_stratum():
    strata = rng(4).integers(0, 3, 100)
    ranking = rank(rng(5).random(100), strata == 2)

    def sizes(positives, negatives):
        return np.stack([positives.sum(-1), negatives.sum(-1)], -1)

    drawn = resample_rankings([ranking], strata, sizes, resamples=30, rng=rng(6))
    assert (drawn == [(strata == 2).sum(), (strata != 2).sum()]).all()


def test_the_chunks_of_a_large_set_hold_all_resamples():
    strata = np.arange(100_000) % 2
    ranking = rank(np.repeat([0.0, 1.0], 50_000), strata == 1)
    drawn = resample_rankings([ranking], strata, both, resamples=5, rng=rng(7))
    assert drawn.shape == (5, 1, 2)
    np.testing.assert_allclose(drawn[..., 1], 0.5, atol=0.02)
