"""Batches: fetching images, and augmentation that only moves pixels."""

import numpy as np
import pytest
import torch
from toy_training import DEVICES

from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.training.data.feed import Feed, _all_of


def noise(count, side=8):
    rng = np.random.Generator(np.random.PCG64(count))
    return rng.integers(0, 256, (count, side, side, 3), np.uint8)


def test_joined_sources_count_through():
    one, two = noise(3), noise(4)
    rows = np.array([5, 0, 2, 6, 3])
    joined = Pixels([one, two], one.shape[1:])
    assert (joined.take(rows) == np.concatenate((one, two))[rows]).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("resident", [True, False])
def test_a_feed_gives_the_same_whether_resident_or_not(resident, device, monkeypatch):
    if not resident:
        monkeypatch.setattr("raresight.pipeline.training.data.feed._free_memory", lambda device: 0)
    images, rows = noise(10), np.array([7, 2, 9])
    feed = Feed(Pixels([images], images.shape[1:]), rows, np.array([1, 0, 1]), torch.device(device))
    index = np.array([2, 0])
    assert (feed.images(index).cpu().numpy() == images[[9, 7]]).all()
    assert feed.labels(index).tolist() == [1, 1]


@pytest.mark.parametrize(("images", "kept"), [(4, True), (5, False)])
def test_main_memory_keeps_so_many_bytes_at_most(images, kept, monkeypatch):
    monkeypatch.setattr("raresight.pipeline.training.data.feed._MOST_IN_MAIN_MEMORY", 4 * 192)
    rows, pixels = np.arange(images), Pixels([noise(images)], (8, 8, 3))
    feed = Feed(pixels, rows, np.zeros(images, np.int64), torch.device("cpu"))
    assert (feed._resident is not None) is kept
    assert (feed.images(rows).numpy() == noise(images)).all()


def test_a_gpus_images_are_taken_a_part_at_a_time_and_are_the_same(monkeypatch):
    """On a device that holds no numbers, only the sizes of the parts can be seen."""
    monkeypatch.setattr("raresight.pipeline.training.data.feed._TAKEN_AT_ONCE", 4)
    images, taken = noise(10), []

    class Spy(Pixels):
        def take(self, rows):
            taken.append(rows.tolist())
            return super().take(rows)

    found = _all_of(Spy([images], images.shape[1:]), np.arange(9, -1, -1), torch.device("meta"))
    assert found.shape == images.shape
    assert taken == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]
