import math
from itertools import pairwise
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raresight.generators.base import Extra, Generator, Unavailable
from raresight.generators.records import Counted, Mixed


class Letters(Generator):
    classes = ("a", "b", "c", "d")
    prevalence: ClassVar = {"a": 0.7, "b": 0.1, "c": 0.1, "d": 0.1}

    def sample(self, record, rng):
        raise NotImplementedError


letters = Letters(options=None, image_size=8)


@st.composite
def shares(draw):
    weights = draw(st.lists(st.integers(0, 100), min_size=2, max_size=5).filter(any))
    return {f"class-{k}": weight / sum(weights) for k, weight in enumerate(weights)}


@given(shares(), st.integers(0, 60), st.integers(0, 60))
def test_a_longer_mix_begins_with_the_shorter_one(mix, short, more):
    longer = Mixed("m", mix, short + more)
    assert list(Mixed("m", mix, short)) == list(longer)[:short]


@given(shares(), st.integers(1, 1500))
def test_every_class_gets_its_share_of_the_first_n(mix, count):
    labels = [record.label for record in Mixed("m", mix, count)]
    for label, share in mix.items():
        assert abs(labels.count(label) - share * count) < 4


@given(shares())
def test_a_class_without_a_share_does_not_appear(mix):
    labels = {record.label for record in Mixed("m", {**mix, "none": 0.0}, 200)}
    assert "none" not in labels


@given(st.floats(0, 0.49), st.floats(0, 0.49))
def test_a_larger_share_only_turns_common_records_into_rare_ones(one, other):
    low, high = sorted((one, other))

    def rare(share: float) -> set[str]:
        records = Mixed("m", {"rare": share, "common": 1 - share}, 300)
        return {record.id for record in records if record.label == "rare"}

    assert rare(low) <= rare(high)


def test_one_in_ten_thousand_appears_once_in_ten_thousand():
    labels = [record.label for record in Mixed("m", {"rare": 1e-4, "common": 0.9999}, 30_000)]
    assert 2 <= labels.count("rare") <= 4


@pytest.mark.parametrize("stream", [Counted("c", "a", 25), Mixed("m", {"a": 0.3, "b": 0.7}, 25)])
def test_streams_are_sequences_of_unique_ids_in_order(stream):
    records = list(stream)
    assert len(stream) == len(records) == 25
    assert [stream[k] for k in range(25)] == records
    assert all(before.id < after.id for before, after in pairwise(records))
    for outside in (-1, 25):
        with pytest.raises(IndexError, match=f"record {outside} of 25"):
            stream[outside]


def test_counted_records_carry_their_class_in_the_id():
    assert [(r.id, r.label) for r in Counted("s", "cat", 2)] == [
        ("s-cat-0000000", "cat"),
        ("s-cat-0000001", "cat"),
    ]


def test_counts_give_one_stream_a_class_that_has_any():
    streams = letters.streams("s", counts={"c": 2, "a": 1, "b": 0})
    assert [[record.label for record in stream] for stream in streams] == [["a"], ["c", "c"]]


def test_classes_without_a_share_divide_what_is_left_evenly():
    (stream,) = letters.streams("s", count=10, prevalence={"a": 0.1})
    assert stream.shares["a"] == 0.1
    assert all(math.isclose(stream.shares[label], 0.3) for label in "bcd")


def test_shares_of_all_classes_leave_nothing():
    (stream,) = letters.streams("s", count=8, prevalence=dict.fromkeys("abcd", 0.25))
    assert stream.shares == dict.fromkeys("abcd", 0.25)


def test_without_shares_the_natural_ones_hold():
    (stream,) = letters.streams("s", count=1000)
    assert stream.shares == Letters.prevalence
    labels = [record.label for record in stream]
    assert abs(labels.count("a") - 700) < 4


def test_a_missing_module_is_told_with_the_line_that_installs_it():
    class Needy(Letters):
        extra = Extra(install="raresight[letters]", modules=("math", "no_such_letters"))

    with pytest.raises(Unavailable) as caught:
        Needy(options=None, image_size=8).require()
    assert str(caught.value) == (
        "generator 'needy' needs no_such_letters: pip install 'raresight[letters]'"
    )
    letters.require()
