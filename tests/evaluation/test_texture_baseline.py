from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from raresight.pipeline.evaluation.baselines.registry import BASELINES, evened
from raresight.pipeline.evaluation.baselines.texture import (
    SHARES,
    fit_texture,
    texture_features,
)
from raresight.pipeline.evaluation.metrics.ranking import average_precision, rank

NAMES = list(BASELINES)


def noise(count: int, shape=(16, 16, 3), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(90, 110, (count, *shape), np.uint8)


def of(images: np.ndarray) -> np.ndarray:
    return texture_features(images, np.arange(len(images)))


def test_the_first_features_are_quantiles_of_the_mean_of_3_by_3_windows():
    """Written out for one gray image: windows by hand, mirrored at the border without the rim."""
    image = noise(1, (9, 9, 1))
    padded = np.pad(image[0, ..., 0] / 255, 1, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(81, 9)
    features = of(image)[0]
    for place, values in enumerate((windows.mean(1), np.log(windows.std(1) + 0.5 / 255))):
        found = np.sort(values)[[round(share * 80) for share in SHARES]]
        expected = found - found[2] * (np.arange(5) != 2)
        np.testing.assert_allclose(features[5 * place : 5 * place + 5], expected, atol=1e-4)


def test_where_a_spot_is_and_how_the_image_is_turned_makes_no_difference():
    image = np.full((1, 32, 32, 3), 100, np.uint8)
    image[0, 8:12, 8:12] = (160, 140, 150)
    turned = np.rot90(image, axes=(1, 2))
    moved = np.roll(image, (8, 12), axis=(1, 2))
    for other in (turned, moved):
        np.testing.assert_allclose(of(other), of(image), atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "scales", "planes"),
    [
        ((64, 64, 3), 5, 2),
        ((64, 64, 1), 5, 1),
        ((8, 20, 3), 2, 2),
        ((3, 3, 3), 1, 2),
        ((1, 1, 1), 1, 1),
        ((300, 200, 3), 5, 2),  # 128 x 85
    ],
)
def test_images_of_any_shape_have_a_number_a_scale_plane_map_and_quantile(shape, scales, planes):
    features = of(noise(2, shape))
    assert features.shape == (2, scales * planes * 3 * len(SHARES))
    assert np.isfinite(features).all()


def test_features_do_not_depend_on_the_batch_and_no_rows_have_none():
    images = noise(300, (8, 8, 3))
    features = of(images)
    rows = np.array([299, 4, 4])
    assert (texture_features(images, rows) == features[rows]).all()
    assert texture_features(images, np.array([], int)).shape == (0, features.shape[1])


def test_features_do_not_depend_on_where_in_memory_the_work_is_done():
    """cv2.magnitude rounded by the alignment of what it was given: 7 to 22 values of 6,000."""
    images = noise(40, (64, 64, 3))
    features, kept = of(images), []
    for size in range(1, 8):
        kept.append(np.empty(1000 * size + 1, np.uint8))  # what is allocated next lies elsewhere
        assert (of(images) == features).all()


def test_it_finds_a_smooth_spot_anywhere_which_colors_and_a_thumbnail_do_not():
    """A rare class with 4x4 pixels without noise, at places that differ: what it is there for."""
    rng = np.random.default_rng(1)
    images = noise(800, (24, 24, 3))
    targets = (np.arange(800) % 8 == 0).astype(int)
    for row in np.flatnonzero(targets):
        y, x = rng.integers(0, 20, 2)
        images[row, y : y + 4, x : x + 4] = 100
    rows = {"train": np.arange(400), "val": np.arange(1), "test": np.arange(400, 800)}
    quality = {}
    for name, baseline in BASELINES.items():
        found = baseline.scores(images, rows, targets[:400], num_classes=2, seed=0)["test"]
        ranking = rank(found[:, 1], targets[400:] == 1)
        quality[name] = float(average_precision(*ranking.counts()))
    assert quality["texture_baseline"] > 0.8
    assert quality["shortcut_baseline"] < 0.4


def test_scores_do_not_depend_on_the_number_of_threads():
    images, targets = noise(500), np.arange(500) % 3
    features = of(images)
    found = []
    for limit in (1, 2):
        with threadpool_limits(limits=limit, user_api="openmp"):
            found.append(fit_texture(features, targets, num_classes=3)(features))
    assert (found[0] == found[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_class_without_training_images_gets_no_score(name):
    features = np.random.default_rng(0).random((60, 4))
    fitted = BASELINES[name].fit(features, np.arange(60) % 2 * 2, num_classes=3)(features)
    assert BASELINES[name].fit(features, np.arange(60) % 2, num_classes=3)(features[:0]).shape == (
        0,
        3,
    )
    assert fitted.shape == (60, 3)
    assert (fitted[:, 1] == 0).all()
    np.testing.assert_allclose(fitted.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("counts", "most", "kept"),
    [
        ([100, 10, 5], 200, [100, 10, 5]),
        ([100, 10, 5], 35, [20, 10, 5]),
        ([100, 90, 5], 45, [20, 20, 5]),
        ([100, 0, 5], 45, [40, 0, 5]),
        ([7, 7, 7], 2, [1, 1, 1]),  # none is left without
    ],
)
def test_the_largest_classes_give_images_away(counts, most, kept):
    targets = np.random.default_rng(0).permutation(np.repeat(np.arange(3), counts))
    found = evened(targets, most, np.random.default_rng(0))
    assert (np.diff(found) > 0).all()
    assert np.bincount(targets[found], minlength=3).tolist() == kept


def test_scores_keep_the_shares_of_the_classes_where_images_were_left_out():
    """Images without a sign: each score is a share of the training set, not of what was kept."""
    images = noise(600, (4, 4, 1)) * 0
    targets = (np.arange(600) % 10 == 0).astype(int)
    rows = dict.fromkeys(("train", "val", "test"), np.arange(600))
    few = replace(BASELINES["texture_baseline"], max_images=120)
    found = few.scores(images, rows, targets, num_classes=2, seed=0)
    np.testing.assert_allclose(found["test"][:, 1], 0.1, atol=1e-3)
