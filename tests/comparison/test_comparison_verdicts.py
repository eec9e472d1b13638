import math

import numpy as np
import pytest
from scipy.stats import norm

from raresight.pipeline.comparison.measured import (
    Measured,
    Needed,
    of_models,
    of_recipes,
    sample_size_factor,
    trainings_needed,
)
from raresight.pipeline.comparison.trainings import Parts
from raresight.pipeline.comparison.verdicts import judge

NORMAL = norm.ppf((np.arange(2000) + 0.5) / 2000)  # resamples of a standard normal, without noise
WANTED = 1 + norm.ppf(0.8) / norm.ppf(0.975)


def measured(old, new, error):
    return of_models("f1", old, new, new - old + error * NORMAL, confidence=0.95)


def judged(*each, **options):
    return judge(each, confidence=0.95, **options)


def of(name, p, difference=0.1, **changes):
    """A metric whose interval excludes 0 exactly where p is below 5 %."""
    low = difference - 0.1 * (1.0 if p < 0.05 else 2.0) * 0.99
    ends = {"old": 0.5, "new": 0.5 + difference, "low": low, "high": 2 * difference - low}
    return Measured(name=name, p=p, **({"difference": difference} | ends | changes))


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [(0.5, 0.7, "better"), (0.7, 0.5, "worse"), (0.5, 0.65, "inconclusive")],
)
def test_a_verdict_needs_an_interval_on_one_side_of_zero(old, new, verdict):
    (found,) = judged(measured(old, new, 0.1))  # +-0.196
    assert found.verdict == found.ruling == verdict
    assert (found.low, found.high) == pytest.approx(
        (new - old - 0.196, new - old + 0.196), abs=2e-3
    )
    assert found.p == pytest.approx(2 * norm.sf(abs(new - old) / 0.1), abs=2e-3)
    assert (found.sample_size_factor is None) == (verdict != "inconclusive")


@pytest.mark.parametrize("resamples", [100, 200, 399, 1999, 2000])
@pytest.mark.parametrize("beyond", range(0, 60, 7))
def test_the_interval_excludes_zero_exactly_where_the_p_value_is_below_the_level(resamples, beyond):
    drawn = np.arange(resamples) - beyond + 0.5
    found = of_models("f1", 0.0, float(resamples), drawn, confidence=0.95)
    assert found.excludes_zero == (found.p < 0.05)


@pytest.mark.parametrize(
    ("new", "models"), [(0.7, "better"), (0.3, "worse"), (0.55, "inconclusive")]
)
def test_one_training_each_tells_of_the_models_and_not_of_the_recipes(new, models):
    (found,) = judged(measured(0.5, new, 0.05), single=True)
    assert (found.verdict, found.models, found.ruling) == ("unknown", models, models)
    assert "trained once" in found.reason


def test_the_primary_metric_is_tested_alone_and_the_others_by_holm():
    each = of("average_precision", 0.03), of("f1", 0.012), of("recall", 0.02), of("precision", 0.2)
    found = judged(*each)
    assert [one.verdict for one in found] == ["better", "better", "better", "inconclusive"]
    # Holm by hand: 3 x 0.012, then 2 x 0.02, then 1 x 0.2.
    assert [one.p_adjusted for one in found] == pytest.approx([0.03, 0.036, 0.04, 0.2])


def test_where_the_primary_metric_has_no_verdict_the_others_need_five_times_the_evidence():
    found = judged(of("average_precision", 0.3), of("f1", 0.003), of("recall", 0.02))
    assert [one.p_adjusted for one in found] == pytest.approx([0.3, 5 * 2 * 0.003, 0.1])
    assert [one.verdict for one in found] == ["inconclusive", "better", "inconclusive"]
    assert "adjusted" in found[2].reason
    # An identical metric cannot be wrong, so it takes nothing from the others.
    same = of("average_precision", 0.3, identical=True)
    assert judged(same, of("f1", 0.02), of("recall", 0.03))[1].verdict == "better"


def test_what_it_would_take_is_told_for_the_level_that_is_left():
    asked = []

    def needed(confidence):
        asked.append(confidence)
        return Needed(sample_size_factor=2.0)

    each = [of(name, 0.2, needed=needed) for name in ("average_precision", "f1", "recall")]
    assert [one.sample_size_factor for one in judged(*each)] == [2.0] * 3
    assert asked == pytest.approx([0.95, 1 - 0.05 / (5 * 2), 1 - 0.05 / (5 * 2)])


def test_a_lower_calibration_error_is_better():
    (found,) = judged(of("ece", 0.01, difference=-0.5, low=-0.6, high=-0.4))
    assert found.verdict == "better"


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
    (found,) = judged(of_recipes("f1", values, drawn, confidence=0.95))
    assert (found.old, found.new, found.verdict) == (
        pytest.approx(0.52), pytest.approx(0.55), "inconclusive",
    )  # fmt: skip
    assert found.sample_size_factor is None
    assert found.trainings > 3


def test_an_undefined_metric_has_no_verdict_and_says_why():
    (found,) = judged(of_models("precision", math.nan, 0.5, np.zeros(100), confidence=0.95))
    assert (found.verdict, found.old, found.difference) == ("inconclusive", None, None)
    assert "undefined" in found.reason
    resampled = np.where(np.arange(100) < 10, np.nan, 0.1)
    (found,) = judged(of_models("precision", 0.4, 0.5, resampled, confidence=0.95))
    assert (found.verdict, found.low) == ("inconclusive", None)
    assert "resamples" in found.reason
    values = [np.array([0.5, math.nan]), np.array([0.5, 0.6])]
    (found,) = judged(of_recipes("precision", values, [np.zeros((9, 2))] * 2, confidence=0.95))
    assert (found.old, found.difference, found.verdict) == (None, None, "inconclusive")


def test_resamples_in_which_one_training_is_undefined_do_not_count():
    values = [np.array([0.5, 0.5]), np.array([0.6, 0.6])]
    drawn = [np.tile(one, (100, 1)) for one in values]
    drawn[0][:3, 0] = math.nan
    (found,) = judged(of_recipes("precision", values, drawn, confidence=0.95))
    assert (found.low, found.verdict) == (pytest.approx(0.1), "better")
    drawn[0][:9, 0] = math.nan
    assert of_recipes("precision", values, drawn, confidence=0.95).low is None
