"""Groups: never divided, never moved, in the shares asked for on average."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_random import Pcg64

from raresight.pipeline.splitting.assignment import Images, split_images
from raresight.pipeline.splitting.groups import ALONE, named_groups, split_of_group
from raresight.pipeline.splitting.params import Ratios, SplitParams
from raresight.pipeline.splitting.problems import gaps, group_problems

PARAMS = SplitParams(seed=5, ratios=Ratios(train=0.70, val=0.15, test=0.15))
DEFAULT = {"train": 0.70, "val": 0.15, "test": 0.15}
SHARES = {"any": DEFAULT, "learn": {"train": 14 / 17, "val": 3 / 17}, "judge": {"test": 1.0}}


def images(*rows: tuple[str, str, str], given: list[str] | None = None) -> Images:
    """From (source, label, group) of each row; what the source reaches is in SHARES."""
    sources, labels, groups = (np.array(column, str) for column in zip(*rows, strict=True))
    return Images(
        sources=sources,
        shares=SHARES,
        labels=labels,
        true_labels=labels,
        groups=groups,
        given=np.array([""] * len(rows) if given is None else given),
    )


rows_of_images = st.lists(
    st.tuples(
        st.sampled_from(["any", "learn"]),
        st.sampled_from("xy"),
        st.sampled_from([ALONE, "p", "q", "r", "s"]),
    ),
    min_size=1,
    max_size=40,
)


@given(rows_of_images, st.integers(0, 2**40))
@settings(max_examples=60)
def test_no_group_is_divided_and_sources_reach_only_their_splits(rows, seed):
    found = images(*rows)
    splits = split_images(found, SplitParams(seed=seed, ratios=PARAMS.ratios))
    assert set(splits.tolist()) <= set(DEFAULT)
    for group in set(found.groups.tolist()) - {ALONE}:
        assert len(set(splits[found.groups == group].tolist())) == 1
    assert "test" not in splits[found.sources == "learn"]


@given(rows_of_images, rows_of_images)
@settings(max_examples=60)
def test_more_images_and_other_groups_move_no_group(rows, more):
    """Wherever they are inserted, and whatever their class; a source that narrows a group's splits
    may move it, so the new images are of the first source."""
    rows = [("any", *row[1:]) for row in rows]
    more = [("any", *row[1:]) for row in more]
    before = split_images(images(*rows), PARAMS)
    after = split_images(images(*more, *rows), PARAMS)[len(more) :]
    grouped = np.array([group != ALONE for _, _, group in rows])
    assert before[grouped].tolist() == after[grouped].tolist()


@given(rows_of_images)
@settings(max_examples=60)
def test_images_alone_are_assigned_as_if_there_were_no_groups(rows):
    found = images(*rows)
    alone = [row for row in rows if row[2] == ALONE]
    splits = split_images(found, PARAMS)[found.groups == ALONE]
    if alone:
        assert splits.tolist() == split_images(images(*alone), PARAMS).tolist()


def test_a_group_goes_where_the_reference_says():
    for name in ("patient 7", "ångström", "a"):
        point = Pcg64.of(5, "split group", name).real()
        expected = "train" if point < 0.70 else "val" if point < 0.85 else "test"
        assert split_of_group(name, ratios=DEFAULT, seed=5) == expected
    assert split_of_group("a", ratios={"test": 1.0}, seed=5) == "test"


def test_many_groups_have_the_shares():
    # 4,000 groups: standard deviations 29, 23, 23
    found = Counter(split_of_group(f"g{k}", ratios=DEFAULT, seed=1) for k in range(4000))
    for split, share in DEFAULT.items():
        assert abs(found[split] - 4000 * share) < 120


def test_groups_are_those_that_hold_more_than_one_source_or_have_a_name_of_their_own():
    sources = pa.chunked_array([["a", "b", "a"], ["d", "e", "f"]])  # the third repeats the first
    groups = pa.chunked_array([["a", "b", "a"], ["patient", "f", "f"]])
    drawn = np.zeros(6, bool)
    assert named_groups(groups, sources, drawn).tolist() == ["", "", "", "patient", "f", "f"]
    assert named_groups(sources, sources, drawn).tolist() == [""] * 6
    assert named_groups(sources[:0], sources[:0], drawn[:0]).tolist() == []


def test_a_real_image_without_a_group_is_one_of_its_own():
    sources = pa.chunked_array([["a", "b", "c"]])
    real = np.array([False, True, True])
    assert named_groups(sources, sources, real).tolist() == ["", "b", "c"]
    assert named_groups(pa.chunked_array([["a", "b", "p"]]), sources, real).tolist() == [
        *("", "b", "p")
    ]


FILES = np.array(["1.png", "2.png", "3.png", "4.png"])


def test_a_group_that_no_split_can_hold_is_named_with_its_sources():
    rows = [("learn", "x", "p"), ("judge", "x", "p"), ("any", "x", "q"), ("judge", "x", "q")]
    assert group_problems(images(*rows), FILES) == [
        "group 'p' has images of source 'judge' (splits: test) and of source 'learn' "
        "(splits: train, val)"
    ]
    assert split_images(images(*rows[2:]), PARAMS).tolist() == ["test", "test"]


def test_a_group_goes_where_it_is_given_whatever_its_name():
    rows = [("any", "x", f"g{k}") for k in range(20) for _ in range(2)]
    for split in ("train", "val", "test"):
        found = images(*rows, given=[split, ""] * 20)  # one of two images says it for both
        assert group_problems(found, np.arange(40).astype(str)) == []
        assert set(split_images(found, PARAMS).tolist()) == {split}
        assert set(split_images(found, PARAMS, {"g1": split}).tolist()) == {split}


def test_a_group_in_two_given_splits_is_named_with_a_file_of_each():
    rows = [("any", "x", "p"), ("any", "x", "p"), ("any", "x", "q"), ("any", "x", "p")]
    assert group_problems(images(*rows, given=["train", "test", "val", "test"]), FILES) == [
        "group 'p' is given to test (2.png) and to train (1.png)"
    ]


def test_what_is_given_and_what_is_kept_have_to_agree_with_each_other_and_the_source():
    rows = [("judge", "x", "p"), ("any", "x", "q"), ("judge", "x", "r")]
    found = images(*rows, given=["train", "val", ""])
    assert group_problems(found, FILES, {"q": "test", "r": "train"}) == [
        "group 'p' is given to train (1.png), but is of source 'judge' (splits: test)",
        "group 'q' is given to val (2.png), but split.keep has it in test",
        "group 'r' is in train by split.keep, but is of source 'judge' (splits: test)",
    ]


@pytest.mark.parametrize("number", [2, 4])
def test_a_gap_tells_how_many_groups_there_are_and_the_way_on(number):
    found = images(*(("any", "x", f"p{k}") for k in range(number) for _ in range(4)))
    splits = np.full(len(found.labels), "train")
    by_chance = "its groups all went elsewhere by chance; `split.keep` would balance them"
    for kept, advice in (
        (False, by_chance if number == 4 else "it needs more groups, three at the least"),
        (True, "it needs more groups"),
    ):
        assert list(gaps(found, splits, ["x"], PARAMS, kept=kept).values()) == [
            f"class 'x' (images: {4 * number}, groups: {number}) has none in {split}: {advice}"
            for split in ("val", "test")
        ]
