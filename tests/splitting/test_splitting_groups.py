"""Groups: never divided, never moved, in the shares asked for on average."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_random import Pcg64

from raresight.pipeline.splitting.assignment import Images, gaps, split_images, torn
from raresight.pipeline.splitting.groups import ALONE, named_groups, split_of_group
from raresight.pipeline.splitting.params import Ratios, SplitParams

PARAMS = SplitParams(seed=5, ratios=Ratios(train=0.70, val=0.15, test=0.15))
DEFAULT = {"train": 0.70, "val": 0.15, "test": 0.15}
ROLES = {"any": "any", "learn": "train_only", "judge": "test_only"}


def images(*rows: tuple[str, str, str]) -> Images:
    """From (source, label, group) of each row; the source's role is that of ROLES."""
    sources, labels, groups = (np.array(column, str) for column in zip(*rows, strict=True))
    roles = np.array([ROLES[source] for source in sources.tolist()])
    return Images(sources=sources, roles=roles, labels=labels, true_labels=labels, groups=groups)


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
def test_no_group_is_divided_and_roles_reach_only_their_splits(rows, seed):
    found = images(*rows)
    splits = split_images(found, SplitParams(seed=seed, ratios=PARAMS.ratios))
    assert set(splits.tolist()) <= set(DEFAULT)
    for group in set(found.groups.tolist()) - {ALONE}:
        assert len(set(splits[found.groups == group].tolist())) == 1
    assert "test" not in splits[found.sources == "learn"]


@given(rows_of_images, rows_of_images)
@settings(max_examples=60)
def test_more_images_and_other_groups_move_no_group(rows, more):
    """Wherever they are inserted, and whatever their class; a role that narrows a group's splits
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
    assert named_groups(groups, sources).tolist() == ["", "", "", "patient", "f", "f"]
    assert named_groups(sources, sources).tolist() == [""] * 6
    assert named_groups(sources[:0], sources[:0]).tolist() == []


def test_a_group_that_no_split_can_hold_is_named_with_its_sources():
    rows = [("learn", "x", "p"), ("judge", "x", "p"), ("any", "x", "q"), ("judge", "x", "q")]
    assert torn(images(*rows)) == [
        "group 'p' has images of source 'judge' (role test_only) and of source 'learn' "
        "(role train_only)"
    ]
    assert split_images(images(*rows[2:]), PARAMS).tolist() == ["test", "test"]


@pytest.mark.parametrize("groups", [["p"], ["p", "q"]])
def test_a_gap_tells_how_many_groups_there_are(groups):
    found = images(*(("any", "x", group) for group in groups for _ in range(4)))
    splits = np.full(len(found.labels), "train")
    problems = gaps(found, splits, ["x"], PARAMS)
    assert problems == [
        f"class 'x' (images: {4 * len(groups)}, groups: {len(groups)}) has none in {split}: its "
        "groups all went elsewhere; add groups, or change split.seed"
        for split in ("val", "test")
    ]
