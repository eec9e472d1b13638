"""Images that show the same: kept in one split, or one of them dropped; what is placed stays."""

import numpy as np
import pytest

from raresight.pipeline.splitting.assignment import Images
from raresight.pipeline.splitting.joining import across, drop_repeats, keep_together
from raresight.pipeline.splitting.near_duplicates import Pair

RATIOS = {"train": 0.7, "val": 0.15, "test": 0.15}


def images(*groups: str, given: dict[str, str] | None = None, shares=None) -> Images:
    names = np.array(groups)
    return Images(
        sources=names if shares else np.full(len(names), "folder"),
        shares=shares or {"folder": RATIOS},
        labels=np.full(len(names), "x"),
        true_labels=np.full(len(names), "x"),
        groups=names,
        given=np.array([(given or {}).get(name, "") for name in groups]),
    )


def pair(first: int, second: int, similarity: float = 1.0) -> Pair:
    return Pair(first=first, second=second, similarity=similarity)


def test_new_images_are_joined_and_a_newcomer_follows_one_that_is_placed():
    found = keep_together(images(*"abcde"), [pair(0, 1), pair(2, 3)], {"d": "test"})
    assert found.images.groups.tolist() == ["a", "a", "c", "c", "e"]
    assert found.ledger["c"] == "test"
    assert "a" not in found.ledger
    assert found.apart == 0


def test_what_is_placed_in_different_splits_never_moves():
    ledger = {"a": "train", "b": "test"}
    found = keep_together(images(*"abc"), [pair(0, 1), pair(1, 2, 0.99), pair(0, 2, 0.98)], ledger)
    assert found.images.groups.tolist() == ["a", "b", "b"]  # c follows the one it is most like
    assert (found.ledger["a"], found.ledger["b"]) == ("train", "test")
    assert found.apart == 2


def test_a_given_split_is_as_good_as_the_ledger():
    found = keep_together(images(*"ab", given={"b": "val"}), [pair(0, 1)], {})
    assert found.images.groups.tolist() == ["a", "a"]
    assert found.ledger["a"] == "val"


def test_sources_that_reach_no_common_split_are_not_joined():
    shares = {"a": {"train": 1.0}, "b": {"test": 1.0}, "c": {"test": 0.5, "val": 0.5}}
    found = keep_together(images(*"abc", shares=shares), [pair(0, 1), pair(1, 2)], {})
    assert found.images.groups.tolist() == ["a", "b", "b"]


def test_a_chain_of_likeness_joins_no_more_than_a_part():
    names = [f"g{k:03d}" for k in range(100)]
    chain = [pair(k, k + 1) for k in range(99)]
    found = keep_together(images(*names), chain, {})
    _, sizes = np.unique(found.images.groups, return_counts=True)
    assert sizes.max() == 20  # or a twentieth, where that is more
    assert found.apart == 4


@pytest.mark.parametrize(
    ("splits", "kept", "dropped"),
    [
        (["train", "test"], [False, False], 0),  # tests stay whole
        (["test", "train"], [False, False], 1),
        (["val", "test"], [True, False], 1),  # a newcomer goes first
        (["train", "val"], [True, True], 0),
        (["val", "val"], [False, False], None),  # in one split nothing is given away
    ],
)
def test_one_of_two_is_dropped(splits, kept, dropped):
    found = drop_repeats(np.array(splits), [pair(0, 1)], np.array(kept))
    assert [k for k in (0, 1) if found[k] == "unused"] == ([] if dropped is None else [dropped])
    assert across(found, [pair(0, 1)]) == []


def test_of_three_alike_no_more_than_needed_are_dropped():
    splits = np.array(["train", "train", "test"])
    pairs = [pair(0, 1), pair(1, 2), pair(0, 2)]
    assert drop_repeats(splits, pairs, np.zeros(3, bool)).tolist() == ["unused", "unused", "test"]
    splits[1] = "test"
    assert drop_repeats(splits, pairs, np.zeros(3, bool)).tolist() == ["unused", "test", "test"]
