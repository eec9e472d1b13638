"""Batches: fetching images, and augmentation that only moves pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dataset.pixels import Pixels
from pipeline.training.feed import BatchAugment, Feed
from pipeline.training.params import BatchAugmentParams

CPU = torch.device("cpu")


def noise(count, side=8):
    rng = np.random.Generator(np.random.PCG64(count))
    return rng.integers(0, 256, (count, side, side, 3), np.uint8)


def augment(images, index, *, epoch=0, samples=64, **params):
    settings_ = {"flip": True, "rotate90": True, "shift": 0} | params
    batch = BatchAugment(BatchAugmentParams(**settings_), seed=3, samples=samples)
    return batch(torch.from_numpy(images), np.asarray(index), epoch).numpy()


def symmetries(image):
    turned = [np.rot90(image, k) for k in range(4)]
    return [*turned, *(np.flip(one, 1) for one in turned)]


def test_flips_and_turns_give_all_eight_symmetries_and_nothing_else():
    image = noise(1)[0]
    found = augment(np.stack([image] * 64), range(64))
    seen = set()
    for one in found:
        matches = [k for k, other in enumerate(symmetries(image)) if (one == other).all()]
        assert len(matches) == 1
        seen.add(matches[0])
    assert seen == set(range(8))


def test_turns_without_flips_are_rotations():
    image = noise(1)[0]
    for one in augment(np.stack([image] * 64), range(64), flip=False):
        assert any((one == np.rot90(image, k)).all() for k in range(4))


def test_a_shift_moves_the_image_and_mirrors_its_border():
    image = noise(1)[0]
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    windows = [padded[y : y + 8, x : x + 8] for y in range(5) for x in range(5)]
    for one in augment(np.stack([image] * 32), range(32), flip=False, rotate90=False, shift=2):
        assert any((one == window).all() for window in windows)


@given(st.permutations(range(12)))
@settings(max_examples=10, deadline=None)
def test_augmentation_of_a_sample_does_not_depend_on_its_batch(order):
    images = noise(12)
    together = augment(images, range(12), shift=2)
    shuffled = augment(images[order], order, shift=2)
    assert (shuffled == together[order]).all()


def test_joined_sources_count_through():
    one, two = noise(3), noise(4)
    rows = np.array([5, 0, 2, 6, 3])
    joined = Pixels([one, two], one.shape[1:])
    assert (joined.take(rows) == np.concatenate((one, two))[rows]).all()


@pytest.mark.parametrize("resident", [True, False])
def test_a_feed_gives_the_same_whether_resident_or_not(resident, monkeypatch):
    if not resident:
        monkeypatch.setattr("pipeline.training.feed._free_memory", lambda device: 0)
    images, rows = noise(10), np.array([7, 2, 9])
    feed = Feed(Pixels([images], images.shape[1:]), rows, np.array([1, 0, 1]), CPU)
    index = np.array([2, 0])
    assert (feed.images(index).numpy() == images[[9, 7]]).all()
    assert feed.labels(index).tolist() == [1, 1]
