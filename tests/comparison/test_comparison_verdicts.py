import math

import numpy as np
import pytest
from scipy.stats import norm, ttest_ind

from pipeline.comparison.verdicts import Spread, difference, settled_at, welch

NORMAL = norm.ppf((np.arange(2000) + 0.5) / 2000)  # resamples of a standard normal, without noise


def judged(old, new, error, **options):
    resampled = new - old + error * NORMAL
    return difference("f1", old, new, resampled, confidence=0.95, **options)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [(0.5, 0.7, "better"), (0.7, 0.5, "worse"), (0.5, 0.65, "inconclusive")],
)
def test_a_verdict_needs_an_interval_on_one_side_of_zero(old, new, verdict):
    found = judged(old, new, 0.1)  # +-0.196
    assert found.verdict == verdict
    assert (found.low, found.high) == pytest.approx(
        (new - old - 0.196, new - old + 0.196), abs=2e-3
    )
    assert (found.settled_at is None) == (verdict != "inconclusive")


def test_what_would_settle_it_is_the_classic_size_of_a_study():
    # To tell a difference of d from 0 at 5 % with a power of 80 % its standard error has to be
    # d / (1.96 + 0.84); it is s now and falls with the root of the number of images.
    d, s = 0.05, 0.1
    expected = (s * (norm.ppf(0.975) + norm.ppf(0.8)) / d) ** 2
    assert settled_at(d, norm.ppf(0.975) * s, confidence=0.95) == pytest.approx(expected)
    assert settled_at(-d, norm.ppf(0.975) * s, confidence=0.95) == pytest.approx(expected)
    assert settled_at(0.0, 0.1, confidence=0.95) is None


def test_an_undefined_metric_has_no_verdict_and_says_why():
    found = difference("precision", math.nan, 0.5, np.zeros(100), confidence=0.95)
    assert (found.verdict, found.old, found.difference) == ("inconclusive", None, None)
    assert "undefined" in found.reason
    resampled = np.where(np.arange(100) < 10, np.nan, 0.1)
    found = difference("precision", 0.4, 0.5, resampled, confidence=0.95)
    assert (found.verdict, found.low) == ("inconclusive", None)
    assert "resamples" in found.reason


def test_welch_is_that_of_scipy():
    rng = np.random.default_rng(0)
    old, new = rng.normal(0.8, 0.01, 5), rng.normal(0.82, 0.03, 4)
    spread = welch(old, new, confidence=0.9)
    expected = ttest_ind(new, old, equal_var=False).confidence_interval(0.9)
    assert spread.new - spread.old == pytest.approx(np.mean(new) - np.mean(old))
    assert spread.half_width == pytest.approx((expected.high - expected.low) / 2)


def test_replicates_that_agree_spread_nothing():
    assert welch(np.full(4, 0.5), np.full(2, 0.75), confidence=0.95).half_width == 0


def test_the_spread_of_trainings_widens_the_interval_and_may_undo_a_verdict():
    spread = Spread(old=0.5, new=0.7, half_width=0.3)
    alone, widened = judged(0.5, 0.7, 0.05), judged(0.5, 0.7, 0.05, spread=spread)
    assert (alone.verdict, widened.verdict) == ("better", "inconclusive")
    assert widened.difference - widened.low == pytest.approx(math.hypot(0.098, 0.3), abs=2e-3)
    assert widened.spread == 0.3


def test_with_replicates_the_means_are_compared():
    spread = Spread(old=0.6, new=0.61, half_width=0.01)
    found = judged(0.5, 0.7, 0.05, spread=spread)
    assert (found.old, found.new) == (0.6, 0.61)
    assert found.difference == pytest.approx(0.01)
