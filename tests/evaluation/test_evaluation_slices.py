from functools import partial

import interval_settings
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, false_discovery_control, fisher_exact

from raresight.pipeline.evaluation import slices
from raresight.pipeline.evaluation.decisions.predictions import Task, predict_labels
from raresight.pipeline.evaluation.slices import slice_results, worse_than_others
from raresight.pipeline.evaluation.uncertainty.intervals import wilson

RARE = Task(classes=("common", "rare"), positive="rare")
WILSON = partial(wilson, confidence=0.95)


def results(task, targets, called, factors, *, perturbed=None, bins=4, min_images=1):
    def outcome(called):
        return predict_labels(task, targets, np.eye(len(task.classes))[called], threshold=0.5)

    return slice_results(
        outcome(called),
        outcome(called if perturbed is None else perturbed),
        factors,
        bins=bins,
        min_images=min_images,
        settings=interval_settings.settings(),
    )


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_worse_than_others_is_fishers_exact_test(hits, misses, other_hits, other_misses):
    expected = fisher_exact([[hits, misses], [other_hits, other_misses]], alternative="less").pvalue
    total = hits + misses + other_hits + other_misses
    found = worse_than_others(hits, hits + misses, hits + other_hits, total)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.fixture
def blurred():
    """Of 80 rare images the 20 most blurred are missed; a factor beside it that does not matter."""
    targets = np.repeat([0, 1], [120, 80])
    blur = np.concatenate([np.full(120, 0.5), np.linspace(0, 1, 80)])
    tint = np.array(["red", "blue"] * 100)
    called = targets * (blur < 0.75)
    return targets, called, {"blur": blur, "tint": tint}


def test_the_worst_slice_comes_first_and_stands_out(blurred):
    found = results(RARE, *blurred)
    worst = found[0]
    assert (worst.metric, worst.factor, worst.part) == ("recall", "blur", "0.75 to 1")
    assert (worst.correct, worst.images, worst.estimate.value) == (0, 20, 0)
    assert worst.estimate.interval == WILSON(0, 20)
    assert worst.p_adjusted < 1e-6
    tints = [one for one in found if (one.metric, one.factor) == ("recall", "tint")]
    assert [one.images for one in tints] == [40, 40]
    assert all(one.p_adjusted > 0.5 for one in tints)


def test_each_metric_has_its_slices_worst_first(blurred):
    found = results(RARE, *blurred)
    metrics = [one.metric for one in found]
    assert metrics == sorted(metrics, reverse=True)  # recall, then precision
    for metric in ("recall", "precision"):
        ends = [one.estimate.high for one in found if one.metric == metric]
        assert ends == sorted(ends)


def test_looking_at_many_is_corrected_by_holm(blurred):
    found = [one for one in results(RARE, *blurred) if one.metric == "recall"]
    p = np.array([one.p for one in found])
    adjusted = np.array([one.p_adjusted for one in found])
    order = np.argsort(p)
    by_hand = np.maximum.accumulate(np.minimum(1, np.arange(len(p), 0, -1) * p[order]))
    np.testing.assert_allclose(adjusted[order], by_hand)
    # Holm's answer is never bolder than that of the false discovery rate.
    assert (adjusted >= false_discovery_control(p) - 1e-12).all()


def test_noise_stands_out_in_at_most_five_of_a_hundred_test_sets():
    draw, alarms = np.random.default_rng(0), 0
    targets = np.repeat([0, 1], [50, 100])
    for _ in range(120):
        called = targets * (draw.random(150) < 0.8)
        factors = {f"factor {k}": draw.random(150) for k in range(6)}
        alarms += any(one.p_adjusted < 0.05 for one in results(RARE, targets, called, factors))
    assert alarms <= 12  # P(Binomial(120, .05) > 12) = 0.005


def test_few_numbers_are_parts_of_their_own_and_unknown_ones_of_none():
    targets = np.ones(9, int)
    count = np.array([1, 1, 2, 2, 3, 3, np.nan, np.nan, np.nan])
    found = results(RARE, targets, targets, {"count": count})
    parts = {
        one.part: one.images for one in found if (one.metric, one.factor) == ("recall", "count")
    }
    assert parts == {"1": 2, "2": 2, "3": 2}


def test_small_parts_and_factors_with_one_value_are_not_shown():
    targets = np.ones(10, int)
    factors = {"kind": np.array(["a"] * 8 + ["b"] * 2), "same": np.array(["x"] * 10)}
    found = results(RARE, targets, targets, factors, min_images=3)
    shown = {one.name for one in found if one.metric == "recall"}
    assert shown == {"kind = a", "perturbed = no", "perturbed = yes"}


def test_negatives_beyond_the_positives_range_count_for_precision():
    targets = np.repeat([0, 1], [4, 8])
    size = np.concatenate([[-50.0, 90.0, -50.0, 90.0], np.arange(8.0)])
    found = results(RARE, targets, np.ones(12, int), {"size": size}, bins=2)
    sizes = [one for one in found if (one.metric, one.factor) == ("precision", "size")]
    assert sorted((one.correct, one.images) for one in sizes) == [(4, 6), (4, 6)]


def test_perturbed_images_are_compared_as_pairs():
    targets = np.ones(20, int)
    clean, perturbed = targets.copy(), targets.copy()
    clean[:2], perturbed[1:8] = 0, 0
    found = results(RARE, targets, clean, {}, perturbed=perturbed)
    of_recall = {one.part: one for one in found if one.metric == "recall"}
    assert (of_recall["no"].correct, of_recall["yes"].correct) == (18, 13)
    # Only perturbed: 6 lost, 1 won.
    expected = binomtest(1, 7, 0.5, alternative="less").pvalue
    assert of_recall["yes"].p == pytest.approx(expected)


def test_without_a_positive_class_it_is_accuracy_by_slice():
    task = Task(classes=("a", "b", "c"), positive=None)
    targets = np.arange(60) % 3
    called = np.where(np.arange(60) < 30, targets, (targets + 1) % 3)
    half = np.array(["first"] * 30 + ["second"] * 30)
    worst = results(task, targets, called, {"half": half})[0]
    assert (worst.metric, worst.name, worst.estimate.value) == ("accuracy", "half = second", 0)


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((-2.85e-05, 0.3333), "0 to 0.33"),
        ((58.0, 142.0), "58 to 142"),
        ((0.00123, 0.01), "0.0012 to 0.01"),
        ((1234.4, 98765.4), "1000 to 99000"),
        ((1000.25, 1000.75), "1000.25 to 1000.75"),
    ],
)
def test_the_ends_of_a_part_are_told_to_two_digits_of_its_width(ends, text):
    assert slices._range(*ends) == text
