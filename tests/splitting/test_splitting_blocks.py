"""Permuted blocks: exact ratios, and an assignment that growth never moves."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_random import Pcg64

from raresight.pipeline.splitting.blocks import assign, block_counts, needed

DEFAULT = {"train": 0.70, "val": 0.15, "test": 0.15}


@st.composite
def whole_ratios(draw):
    """Ratios that a block of ``size`` has exactly, with that block's counts."""
    size = draw(st.integers(3, 100))
    train = draw(st.integers(1, size - 2))
    val = draw(st.integers(1, size - train - 1))
    counts = {"train": train, "val": val, "test": size - train - val}
    return {name: count / size for name, count in counts.items()}, counts


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        (DEFAULT, {"train": 14, "val": 3, "test": 3}),
        ({"train": 0.6, "val": 0.2, "test": 0.2}, {"train": 3, "val": 1, "test": 1}),
        ({"train": 0.5, "val": 0.25, "test": 0.25}, {"train": 2, "val": 1, "test": 1}),
        ({"train": 0.7 / 0.85, "val": 0.15 / 0.85}, {"train": 14, "val": 3}),
        ({"train": 0.98, "val": 0.01, "test": 0.01}, {"train": 98, "val": 1, "test": 1}),
        ({"test": 1.0}, {"test": 1}),
    ],
)
def test_the_block_is_the_smallest_with_these_ratios(ratios, expected):
    assert block_counts(ratios) == expected


def test_without_an_exact_block_the_largest_remainders_are_rounded_up():
    # of 100: 66.66, 16.67, 16.67; the two places left go to the two remainders of .67
    ratios = {"train": 0.6666, "val": 0.1667, "test": 0.1667}
    assert block_counts(ratios) == {"train": 66, "val": 17, "test": 17}


@given(whole_ratios(), st.integers(0, 3), st.integers(0, 2**40))
@settings(max_examples=60)
def test_every_full_block_has_the_ratios(case, earlier, seed):
    ratios, counts = case
    places = block_counts(ratios)
    size = sum(places.values())
    assert sum(counts.values()) % size == 0
    splits = assign((earlier + 1) * size, ratios=ratios, seed=seed, stream="a/b")
    block = Counter(splits[earlier * size :].tolist())
    assert {name: block[name] / size for name in ratios} == pytest.approx(ratios, abs=1e-9)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 2**40))
@settings(max_examples=60)
def test_a_longer_stream_begins_with_the_shorter_one(few, more, seed):
    short = assign(few, ratios=DEFAULT, seed=seed, stream="s")
    long = assign(few + more, ratios=DEFAULT, seed=seed, stream="s")
    assert len(short) == few
    assert long[:few].tolist() == short.tolist()


def test_streams_seeds_and_blocks_are_permuted_differently():
    base = assign(200, ratios=DEFAULT, seed=0, stream="a")
    assert not np.array_equal(base, assign(200, ratios=DEFAULT, seed=0, stream="b"))
    assert not np.array_equal(base, assign(200, ratios=DEFAULT, seed=1, stream="a"))
    assert len({tuple(block) for block in base.reshape(10, 20).tolist()}) == 10


def test_each_place_of_a_block_is_as_likely_to_be_in_test():
    # 2,000 blocks: 300 expected a place, standard deviation 16; 5 of them is out of reach by chance
    blocks = assign(40_000, ratios=DEFAULT, seed=7, stream="a").reshape(2000, 20)
    in_test = (blocks == "test").sum(axis=0)
    assert np.abs(in_test - 300).max() < 80


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("seed", range(5))
def test_needed_is_the_first_count_that_reaches_the_split(split, seed):
    count = needed(split, ratios=DEFAULT, seed=seed, stream="a")
    assert split in assign(count, ratios=DEFAULT, seed=seed, stream="a")
    assert split not in assign(count - 1, ratios=DEFAULT, seed=seed, stream="a")


def test_a_known_stream_is_split_as_ever():
    """The first two blocks of a stream, shuffled by the reference: what was split stays split."""
    names = ["train"] * 3 + ["val"] + ["test"]
    expected = []
    for number in range(2):
        expected += Pcg64.of(7, "split", f"a/b/{number}").shuffled(names)
    ratios = {"train": 0.6, "val": 0.2, "test": 0.2}
    assert assign(10, ratios=ratios, seed=7, stream="a/b").tolist() == expected
