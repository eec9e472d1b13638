"""Equal pixels: found by content, told apart by split."""

import numpy as np

from raresight.pipeline.core.files import content_digest
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.splitting.duplicates import groups_of_equals, leaks, repeats


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)


def equal(*shards: list[np.ndarray]) -> list[list[int]]:
    """The groups among images that lie in several shards."""
    pixels = Pixels([np.stack(shard) for shard in shards], (4, 4, 3))
    return groups_of_equals(pixels.digests(np.arange(len(pixels))))


def test_groups_hold_the_rows_of_equal_images():
    images = [picture(seed) for seed in (1, 0, 1, 2, 0, 1)]
    assert equal(images) == equal(images[:2], images[2:]) == [[0, 2, 5], [1, 4]]


def test_one_changed_value_makes_another_image():
    near = picture(0)
    near[3, 3, 2] ^= 1
    assert equal([picture(0), near]) == []


def test_no_images_have_no_equals():
    assert groups_of_equals(np.empty(0, "S32")) == []


def test_digests_of_some_rows_are_those_of_their_bytes(monkeypatch):
    monkeypatch.setattr("raresight.pipeline.dataset.pixels._DIGESTED_AT_ONCE", 2)
    images = np.stack([picture(seed) for seed in range(7)])
    pixels, rows = Pixels([images[:3], images[3:]], (4, 4, 3)), np.array([6, 0, 3, 3, 5])
    found = pixels.digests(rows).astype(str).tolist()
    assert found == [content_digest(images[row]) for row in rows]


def test_a_leak_lists_every_image_of_the_group():
    groups, ids = [[0, 1], [2, 3, 4]], np.array(list("abcde"))
    splits = np.array(["train", "train", "train", "val", "train"])
    assert leaks(groups, splits, ids) == ["c (train) = d (val) = e (train)"]


def test_repeats_count_all_but_the_first_of_a_group():
    assert repeats([[0, 1, 2], [3, 4]], np.array(["train"] * 3 + ["val"] * 2)) == {
        "train": 2,
        "val": 1,
    }
