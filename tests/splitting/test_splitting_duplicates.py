"""Equal pixels: found by content, told apart by split."""

import numpy as np

from raresight.pipeline.splitting.duplicates import groups_of_equals, leaks, repeats


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)


def test_groups_hold_the_rows_of_equal_images():
    images = [picture(seed) for seed in (0, 1, 0, 2, 1, 0)]
    assert groups_of_equals(images) == [[0, 2, 5], [1, 4]]


def test_one_changed_value_makes_another_image():
    near = picture(0)
    near[3, 3, 2] ^= 1
    assert groups_of_equals([picture(0), near]) == []


def test_views_that_are_not_contiguous_are_compared_by_content():
    wide = np.concatenate([picture(0), picture(1)], axis=1)
    assert groups_of_equals([wide[:, :4], picture(0)]) == [[0, 1]]


def test_a_leak_lists_every_image_of_the_group():
    groups, ids = [[0, 1], [2, 3, 4]], np.array(list("abcde"))
    splits = np.array(["train", "train", "train", "val", "train"])
    assert leaks(groups, splits, ids) == ["c (train) = d (val) = e (train)"]


def test_repeats_count_all_but_the_first_of_a_group():
    assert repeats([[0, 1, 2], [3, 4]], np.array(["train"] * 3 + ["val"] * 2)) == {
        "train": 2,
        "val": 1,
    }
