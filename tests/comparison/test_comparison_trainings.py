"""The variance of a difference of means over trainings, where the truth is known."""

import math

import numpy as np
import pytest
from scipy.stats import t

from raresight.pipeline.comparison.measured import of_recipes
from raresight.pipeline.comparison.trainings import Parts, parts_of
from raresight.pipeline.comparison.verdicts import judge


def result(rng, *, trainings, images=80, seeds=0.05, shared=0.6, mixed=0.5, effect=0.0):
    """The metric of each training, on all images and on resamples of them.

    A metric is a mean over images: of what an image does to each training of a version
    (``shared``), of what it does to this one alone (``mixed``), and of the training's luck.
    """
    both = rng.normal(0, shared, images)
    columns = []
    for version, count in enumerate(trainings):
        own = both + rng.normal(0, shared, images)
        for _ in range(count):
            alone = rng.normal(0, mixed, images)
            columns.append(effect * version + rng.normal(0, seeds) + own + alone)
    scores = np.stack(columns, axis=1)
    weights = rng.multinomial(images, np.full(images, 1 / images), 400) / images
    parts = np.split(scores.mean(axis=0), [trainings[0]])
    drawn = np.split(weights @ scores, [trainings[0]], axis=1)
    return parts, drawn


@pytest.mark.parametrize("trainings", [(3, 3), (5, 2)])
def test_the_variance_is_that_of_the_difference(trainings):
    rng = np.random.default_rng(0)
    found, seen = [], []
    for _ in range(600):
        values, drawn = result(rng, trainings=trainings)
        found.append(parts_of(values, drawn))
        seen.append(values[1].mean() - values[0].mean())
    # By the model: 2 shared^2 / images, and (seeds^2 + mixed^2 / images) / trainings of each.
    luck = sum((0.05**2 + 0.5**2 / 80) / count for count in trainings)
    assert np.mean([parts.images for parts in found]) == pytest.approx(2 * 0.36 / 80, rel=0.05)
    assert np.mean([parts.seeds for parts in found]) == pytest.approx(luck, rel=0.12)
    assert np.mean([parts.variance for parts in found]) == pytest.approx(np.var(seen), rel=0.12)


@pytest.mark.parametrize("trainings", [(2, 2), (3, 3), (4, 2)])
@pytest.mark.parametrize("seeds", [0.0, 0.05, 0.3])
def test_intervals_hold_the_true_difference(trainings, seeds):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        values, drawn = result(rng, trainings=trainings, seeds=seeds, effect=0.2)
        one = of_recipes("f1", values, drawn, confidence=0.95)
        held += one.low <= 0.2 <= one.high
    assert held / 400 >= 0.925


def test_the_degrees_of_freedom_are_welchs_where_images_change_nothing():
    values = [np.array([0.5, 0.52, 0.54]), np.array([0.8, 0.84])]
    drawn = [np.tile(one, (10, 1)) for one in values]
    parts = parts_of(values, drawn)
    a, b = 0.02**2 / 3, 2 * 0.02**2 / 2
    assert (parts.images, parts.seeds) == pytest.approx((0, a + b))
    assert parts.freedom == pytest.approx((a + b) ** 2 / (a**2 / 2 + b**2 / 1))
    found = of_recipes("f1", values, drawn, confidence=0.9)
    half = t.ppf(0.95, parts.freedom) * math.sqrt(a + b)
    assert (found.low, found.high) == pytest.approx((0.3 - half, 0.3 + half))


def test_trainings_that_agree_leave_the_images_alone():
    rng = np.random.default_rng(2)
    column = rng.normal(0.5, 0.1, (5000, 1))
    values = [np.full(3, 0.5), np.full(3, 0.6)]
    parts = parts_of(values, [np.tile(column, 3), np.full((5000, 3), 0.6)])
    assert (parts.seeds, parts.freedom) == (0, math.inf)
    assert parts.images == pytest.approx(0.01, rel=0.1)


def test_paired_trainings_differ_by_the_decision_alone():
    # Each model is 0.1 better by its other decision, whatever its luck.
    old = np.array([0.4, 0.6, 0.8])
    values, drawn = [old, old + 0.1], [np.tile(old, (10, 1)), np.tile(old + 0.1, (10, 1))]
    apart, paired = (
        of_recipes("f1", values, drawn, confidence=0.95, paired=flag) for flag in (False, True)
    )
    verdicts = [judge([one], confidence=0.95)[0].verdict for one in (apart, paired)]
    assert verdicts == ["inconclusive", "better"]
    assert (paired.low, paired.high) == pytest.approx((0.1, 0.1))


def test_more_trainings_shrink_the_part_of_the_seeds_alone():
    parts = Parts(images=0.5, variances=(1.0, 3.0), counts=(2, 2))
    variance, freedom = parts.with_trainings(np.array([2, 8]))
    assert variance == pytest.approx([0.5 + 2, 0.5 + 0.5])
    assert variance[0] == parts.variance
    assert freedom[0] == pytest.approx(parts.freedom)
    assert freedom[1] == pytest.approx(1 / ((1 / 8) ** 2 / 7 + (3 / 8) ** 2 / 7))
