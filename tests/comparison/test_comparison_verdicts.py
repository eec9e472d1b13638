import math

import numpy as np
import pytest
from scipy.stats import norm, t

from pipeline.comparison.verdicts import difference, settled_at, training_spread

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


def test_no_number_of_images_settles_what_training_again_undoes():
    assert settled_at(0.05, 0.1, confidence=0.95, spread=0.05) is None
    alone, spread = (settled_at(0.05, 0.1, confidence=0.95, spread=s) for s in (0, 0.03))
    assert spread == pytest.approx(alone * 0.05**2 / 0.04**2)  # 3-4-5
    found = judged(0.5, 0.51, 0.001, spread=0.02)
    assert (found.verdict, found.settled_at) == ("inconclusive", None)


def test_an_undefined_metric_has_no_verdict_and_says_why():
    found = difference("precision", math.nan, 0.5, np.zeros(100), confidence=0.95)
    assert (found.verdict, found.old, found.difference) == ("inconclusive", None, None)
    assert "undefined" in found.reason
    resampled = np.where(np.arange(100) < 10, np.nan, 0.1)
    found = difference("precision", 0.4, 0.5, resampled, confidence=0.95)
    assert (found.verdict, found.low) == ("inconclusive", None)
    assert "resamples" in found.reason


def test_the_spread_of_trainings_is_that_of_one_more_pair():
    # Where both vary alike, so known from 2 k trainings: t with 2 (k - 1) degrees of freedom.
    old, new = np.array([0.5, 0.52, 0.54]), np.array([0.8, 0.82, 0.84])
    expected = t.ppf(0.95, 4) * math.sqrt(2) * 0.02
    assert training_spread(old, new, confidence=0.9) == pytest.approx(expected)
    # Where one does not vary the other's few trainings alone tell: two degrees of freedom.
    expected = t.ppf(0.95, 2) * 0.02
    assert training_spread(np.full(5, 0.5), new, confidence=0.9) == pytest.approx(expected)


def test_replicates_that_agree_spread_nothing():
    assert training_spread(np.full(4, 0.5), np.full(2, 0.75), confidence=0.95) == 0


def test_the_spread_of_trainings_covers_another_pair():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        old, new = rng.normal(0, 0.01, 4), rng.normal(0, 0.03, 4)
        again = rng.normal(0, 0.03) - rng.normal(0, 0.01)
        covered += abs(again) <= training_spread(old, new, confidence=0.95)
    assert covered / 2000 >= 0.92


def test_the_spread_of_trainings_widens_the_interval_and_may_undo_a_verdict():
    alone, widened = judged(0.5, 0.7, 0.05), judged(0.5, 0.7, 0.05, spread=0.3)
    assert (alone.verdict, widened.verdict) == ("better", "inconclusive")
    assert widened.difference - widened.low == pytest.approx(math.hypot(0.098, 0.3), abs=2e-3)
    assert widened.spread == 0.3
