import math

import numpy as np
import pytest
from scipy.stats import norm

from raresight.pipeline.comparison.trainings import Parts
from raresight.pipeline.comparison.verdicts import (
    of_models,
    of_recipes,
    of_single_trainings,
    sample_size_factor,
    trainings_needed,
)

NORMAL = norm.ppf((np.arange(2000) + 0.5) / 2000)  # resamples of a standard normal, without noise
WANTED = 1 + norm.ppf(0.8) / norm.ppf(0.975)


def judged(old, new, error):
    return of_models("f1", old, new, new - old + error * NORMAL, confidence=0.95)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [(0.5, 0.7, "better"), (0.7, 0.5, "worse"), (0.5, 0.65, "inconclusive")],
)
def test_a_verdict_needs_an_interval_on_one_side_of_zero(old, new, verdict):
    found = judged(old, new, 0.1)  # +-0.196
    assert found.verdict == found.ruling == verdict
    assert (found.low, found.high) == pytest.approx(
        (new - old - 0.196, new - old + 0.196), abs=2e-3
    )
    assert (found.sample_size_factor is None) == (verdict != "inconclusive")


@pytest.mark.parametrize(
    ("new", "models"), [(0.7, "better"), (0.3, "worse"), (0.55, "inconclusive")]
)
def test_one_training_each_tells_of_the_models_and_not_of_the_recipes(new, models):
    found = of_single_trainings(judged(0.5, new, 0.05))
    assert (found.verdict, found.models, found.ruling) == ("inconclusive", models, models)
    assert "trained once" in found.reason


def test_what_would_settle_it_is_the_classic_size_of_a_study():
    # To tell a difference of d from 0 at 5 % with a power of 80 % its standard error has to be
    # d / (1.96 + 0.84); it is s now and falls with the root of the number of images.
    d, s = 0.05, 0.1
    expected = (s * (norm.ppf(0.975) + norm.ppf(0.8)) / d) ** 2
    assert sample_size_factor(d, norm.ppf(0.975) * s, confidence=0.95) == pytest.approx(expected)
    assert sample_size_factor(-d, norm.ppf(0.975) * s, confidence=0.95) == pytest.approx(expected)
    assert sample_size_factor(0.0, 0.1, confidence=0.95) is None


def test_no_number_of_images_settles_what_training_again_undoes():
    assert sample_size_factor(0.05, 0.1, confidence=0.95, seeds=0.05 / WANTED) is None
    alone, both = (
        sample_size_factor(0.05, 0.1, confidence=0.95, seeds=s / WANTED) for s in (0, 0.03)
    )
    assert both == pytest.approx(alone * 0.05**2 / 0.04**2)  # 3-4-5


def test_no_number_of_trainings_settles_what_the_images_leave_open():
    shown = {"confidence": 0.95}
    luck = {"variances": (0.02**2, 0.02**2), "counts": (3, 3)}
    needed = trainings_needed(0.05, Parts(images=0.0, **luck), **shown)
    # With normal quantiles 2 * (2.8 * 0.02 / 0.05)^2 = 2.5 of each; with Student's some more.
    assert 4 <= needed <= 5
    assert trainings_needed(0.05, Parts(images=0.05**2, **luck), **shown) is None
    assert trainings_needed(0.05, Parts(images=0.015**2, **luck), **shown) > needed


def test_recipes_whose_trainings_overlap_are_told_what_would_settle_it():
    values = [np.array([0.5, 0.54, 0.52]), np.array([0.53, 0.55, 0.57])]
    drawn = [np.tile(one, (50, 1)) for one in values]
    found = of_recipes("f1", values, drawn, confidence=0.95)
    assert (found.old, found.new, found.verdict) == (
        pytest.approx(0.52), pytest.approx(0.55), "inconclusive",
    )  # fmt: skip
    assert found.sample_size_factor is None
    assert found.trainings > 3


def test_an_undefined_metric_has_no_verdict_and_says_why():
    found = of_models("precision", math.nan, 0.5, np.zeros(100), confidence=0.95)
    assert (found.verdict, found.old, found.difference) == ("inconclusive", None, None)
    assert "undefined" in found.reason
    resampled = np.where(np.arange(100) < 10, np.nan, 0.1)
    found = of_models("precision", 0.4, 0.5, resampled, confidence=0.95)
    assert (found.verdict, found.low) == ("inconclusive", None)
    assert "resamples" in found.reason
    values = [np.array([0.5, math.nan]), np.array([0.5, 0.6])]
    found = of_recipes("precision", values, [np.zeros((9, 2))] * 2, confidence=0.95)
    assert (found.old, found.difference, found.verdict) == (None, None, "inconclusive")


def test_resamples_in_which_one_training_is_undefined_do_not_count():
    values = [np.array([0.5, 0.5]), np.array([0.6, 0.6])]
    drawn = [np.tile(one, (100, 1)) for one in values]
    drawn[0][:3, 0] = math.nan
    found = of_recipes("precision", values, drawn, confidence=0.95)
    assert (found.low, found.verdict) == (pytest.approx(0.1), "better")
    drawn[0][:9, 0] = math.nan
    assert of_recipes("precision", values, drawn, confidence=0.95).low is None
