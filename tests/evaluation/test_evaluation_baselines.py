import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raresight.pipeline.evaluation.baselines.constant import guesses, majority
from raresight.pipeline.evaluation.baselines.shortcut import fit_shortcut, shortcut_features
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.metrics.confusion import confusion
from raresight.pipeline.evaluation.metrics.ranking import average_precision, roc_auc

TASK = Task(classes=("common", "rare"), positive="rare")


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 6, 5, 3), np.uint8)


def test_the_majority_is_that_of_the_training_set():
    outcome = majority(TASK, np.array([1, 1, 1, 0]), seen=np.array([0, 0, 1]))
    assert (outcome.predicted == 0).all()
    assert outcome.confusion.tolist() == [[1, 0], [3, 0]]


def test_the_majority_ranks_nothing():
    counts = majority(TASK, np.array([1, 0, 0, 0]), seen=np.array([0])).main_ranking.counts()
    assert roc_auc(*counts) == 0.5
    assert average_precision(*counts) == 0.25


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=20),
    st.lists(st.integers(0, 2), min_size=1, max_size=20),
)
def test_guesses_are_what_dice_give_on_average(targets, seen):
    task = Task(classes=("a", "b", "c"), positive=None)
    targets, seen = np.array(targets), np.array(seen)
    counts = guesses(task, targets, seen=seen)
    # Every pairing of an image with a training image whose class it is given, one by one.
    pairs = confusion(np.repeat(targets, len(seen)), np.tile(seen, len(targets)), num_classes=3)
    np.testing.assert_allclose(counts, pairs / len(seen))


def test_features_are_histogram_mean_and_a_thumbnail_of_whole_small_images():
    images = noise(600)  # more than one batch
    rows = np.array([599, 3, 3, 300])
    features = shortcut_features(images, np.concatenate([np.arange(590), rows]))
    for feature, image in zip(features[590:], images[rows], strict=True):
        channels = [image[..., channel] for channel in range(3)]
        histograms = [np.histogram(c, bins=8, range=(0, 256))[0] / 30 for c in channels]
        means = [c.mean() / 255 for c in channels]
        np.testing.assert_allclose(
            feature, np.concatenate([*histograms, means, image.ravel() / 255])
        )


@pytest.mark.parametrize("shape", [(16, 24), (19, 8), (64, 64)])
def test_a_thumbnail_is_the_mean_colour_of_8_by_8_fields(shape):
    image = np.random.default_rng(0).integers(0, 256, (1, *shape, 3), np.uint8)
    thumbnail = shortcut_features(image, np.array([0]))[0, 27:].reshape(8, 8, 3)
    edges = [[size * k // 8 for k in range(9)] for size in shape]
    for row in range(8):
        for column in range(8):
            top, bottom = edges[0][row : row + 2]
            left, right = edges[1][column : column + 2]
            expected = image[0, top:bottom, left:right].mean(axis=(0, 1)) / 255
            np.testing.assert_allclose(thumbnail[row, column], expected)


def test_no_rows_have_no_features():
    assert shortcut_features(noise(2), np.array([], int)).shape == (0, 27 + 90)


def test_the_shortcut_finds_a_class_that_is_only_darker():
    targets = np.arange(200) % 2
    images = (noise(200) // (1 + targets)[:, None, None, None]).astype(np.uint8)
    features = shortcut_features(images, np.arange(200))
    scores = fit_shortcut(features[:100], targets[:100], num_classes=2)(features[100:])
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert (scores.argmax(axis=1) == targets[100:]).mean() > 0.95


def test_the_shortcut_learns_nothing_from_noise():
    features = shortcut_features(noise(400), np.arange(400))
    targets = np.arange(400) % 2
    scores = fit_shortcut(features[:200], targets[:200], num_classes=2)(features[200:])
    assert (scores.argmax(axis=1) == targets[200:]).mean() == pytest.approx(0.5, abs=0.15)


def test_a_class_without_training_images_gets_no_score():
    features = np.random.default_rng(0).random((20, 4))
    fitted = fit_shortcut(features, np.arange(20) % 2 * 2, num_classes=3)(features)
    assert fitted.shape == (20, 3)
    assert (fitted[:, 1] == 0).all()


def test_a_training_set_of_one_class_is_answered_with_that_class():
    fitted = fit_shortcut(np.zeros((5, 4)), np.ones(5, int), num_classes=3)(np.zeros((2, 4)))
    assert fitted.tolist() == [[0, 1, 0], [0, 1, 0]]


def test_many_classes_of_few_images_are_fitted_without_a_warning():
    """scikit-learn takes so many class indices for the values of a regression; warnings fail."""
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = fit_shortcut(rng.random((60, 3)), np.arange(60) % 40, num_classes=40)
    assert scores(rng.random((2, 3))).shape == (2, 40)
