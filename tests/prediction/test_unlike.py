"""Distances from the training images, against formulas by hand and another library."""

import cv2
import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf

from raresight.pipeline.evaluation.decisions.unlike import (
    exceeded,
    fit_reference,
    pixel_statistics,
)


@pytest.mark.parametrize("shape", [(5, 7, 9, 3), (1, 1, 1, 3), (3, 1, 4, 3)])
def test_the_statistics_are_means_deviations_and_gradients(shape):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, shape, np.uint8)
    found = pixel_statistics(images)
    as_float = images.astype(float)
    for k, image in enumerate(as_float):
        means, deviations = cv2.meanStdDev(image)
        across, down = np.abs(np.diff(image, axis=1)), np.abs(np.diff(image, axis=0))
        gradients = [part.mean() if part.size else 0.0 for part in (across, down)]
        expected = [*means[:, 0], *np.sqrt([*deviations[:, 0], *gradients])]
        np.testing.assert_allclose(found[k], expected, rtol=1e-7, atol=1e-3)


def test_the_statistics_of_many_images_are_those_of_each():
    images = np.random.default_rng(2).integers(0, 256, (700, 32, 32, 3), np.uint8)
    alone = np.concatenate([pixel_statistics(images[k : k + 1]) for k in range(0, 700, 50)])
    np.testing.assert_array_equal(pixel_statistics(images)[::50], alone)
    assert pixel_statistics(images[:0]).shape == (0, 8)


def test_a_distance_is_mahalanobis_to_the_nearest_class():
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 2, 400)
    values = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 3)) + 20 * targets[:, None]
    reference = fit_reference(values, targets, values, flagged=0.01)
    means = [values[targets == k].mean(axis=0) for k in (0, 1)]
    residuals = values - np.stack(means)[targets]
    inverse = np.linalg.inv(LedoitWolf(assume_centered=True).fit(residuals).covariance_)
    new = rng.normal(size=(20, 3)) * 10
    expected = [min(mahalanobis(one, mean, inverse) for mean in means) for one in new]
    np.testing.assert_allclose(reference.distances(new), expected, rtol=1e-4)


@pytest.mark.parametrize("count", [1000, 199, 20])
def test_of_new_ordinary_images_few_are_flagged(count):
    rng = np.random.default_rng(4)
    train, ordinary, new = (rng.normal(size=(n, 5)) for n in (2000, count, 20_000))
    reference = fit_reference(train, np.zeros(2000, int), ordinary, flagged=0.05)
    # In the mean over validation sets it is ceil(0.95 (m + 1)) / (m + 1); its standard deviation is
    # that of a Beta distribution.
    rank = min(np.ceil(0.95 * (count + 1)), count)
    share = 1 - rank / (count + 1)
    sigma = np.sqrt(share * (1 - share) / (count + 2))
    flagged = (reference.ratios(new) > 1).mean()
    assert abs(flagged - share) < 4 * sigma + 0.005


def test_a_rare_class_is_not_unlike_for_being_rare():
    rng = np.random.default_rng(5)
    targets = (np.arange(3000) % 100 == 0).astype(int)
    values = rng.normal(size=(3000, 4)) + 30 * targets[:, None]
    reference = fit_reference(values, targets, values[::3], flagged=0.01)
    rare = rng.normal(size=(1000, 4)) + 30
    assert (reference.ratios(rare) > 1).mean() < 0.1
    assert (reference.ratios(rare + 30) > 1).all()


def test_what_never_varies_is_no_reason_to_fail():
    values = np.zeros((50, 4))
    reference = fit_reference(values, np.zeros(50, int), values, flagged=0.01)
    assert not exceeded({"pixels": reference.ratios(values)}).any()
    assert exceeded({"pixels": reference.ratios(values + 1)}).all()
