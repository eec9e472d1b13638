"""Which original goes where: per class and source, by the splits of the source."""

from collections import Counter
from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from reference_random import Pcg64

from raresight.pipeline.splitting.assignment import Images, split_copies, split_images
from raresight.pipeline.splitting.groups import ALONE
from raresight.pipeline.splitting.params import Ratios, SplitParams
from raresight.pipeline.splitting.problems import gaps

PARAMS = SplitParams(seed=5, ratios=Ratios(train=0.70, val=0.15, test=0.15))
# What a source may say of its splits, and the share of each.
SHARES = {
    "all": {"train": Fraction(14, 20), "val": Fraction(3, 20), "test": Fraction(3, 20)},
    "train and val": {"train": Fraction(14, 17), "val": Fraction(3, 17)},
    "test": {"test": Fraction(1)},
}


def images(
    *parts: tuple[str, str, list[str]],
    true: list[str] | None = None,
    groups: list[str] | None = None,
) -> Images:
    """From (source, key of SHARES, labels) of each part."""
    labels = [label for _, _, several in parts for label in several]
    return Images(
        sources=np.array([source for source, _, several in parts for _ in several]),
        shares={
            source: {split: float(share) for split, share in SHARES[reach].items()}
            for source, reach, _ in parts
        },
        labels=np.array(labels),
        true_labels=np.array(true or labels),
        groups=np.full(len(labels), ALONE) if groups is None else np.array(groups),
        given=np.full(len(labels), ""),
    )


def test_full_blocks_have_the_ratios_in_every_class():
    found = images(("a", "all", ["x", "y"] * 40))
    splits = split_images(found, PARAMS)
    for label in "xy":
        assert Counter(splits[found.labels == label]) == {"train": 28, "val": 6, "test": 6}


def test_sources_reach_only_their_splits():
    found = images(("drawn", "train and val", ["x"] * 34), ("real", "test", ["x"] * 10))
    splits = split_images(found, PARAMS)
    assert Counter(splits[:34]) == {"train": 28, "val": 6}  # 14 : 3, as 0.70 : 0.15
    assert set(splits[34:]) == {"test"}


@pytest.mark.parametrize("reach", ["all", "train and val"])
def test_growth_of_one_source_or_class_moves_no_image_of_another(reach):
    def of(source, label, found, splits):
        return splits[(found.sources == source) & (found.labels == label)].tolist()

    small = images(("a", reach, ["x"] * 30), ("b", "all", ["x", "y"] * 20))
    large = images(("a", reach, ["x"] * 70), ("b", "all", ["x", "y"] * 20 + ["y"] * 9))
    before, after = split_images(small, PARAMS), split_images(large, PARAMS)
    assert of("a", "x", large, after)[:30] == of("a", "x", small, before)
    assert of("b", "x", large, after) == of("b", "x", small, before)
    assert of("b", "y", large, after)[:20] == of("b", "y", small, before)


def test_label_noise_moves_nothing():
    drawn = ["x"] * 20 + ["y"] * 20
    noisy = ["y"] * 3 + drawn[3:]
    clean = split_images(images(("a", "all", drawn)), PARAMS)
    assert np.array_equal(clean, split_images(images(("a", "all", noisy), true=drawn), PARAMS))


def test_no_gaps_where_every_class_is_in_every_split():
    found = images(("a", "all", ["x", "y"] * 20))
    assert gaps(found, split_images(found, PARAMS), ["x", "y"], PARAMS) == {}


def test_a_gap_says_how_many_images_would_close_it():
    found = images(("a", "all", ["x"] * 20 + ["y"]))
    problems = gaps(found, split_images(found, PARAMS), ["x", "y"], PARAMS)
    assert len(problems) == 2  # one image of y is in one split of three
    for problem in problems.values():
        start, _, rest = problem.partition(": with ")
        split = start.removeprefix("class 'y' (images: 1) has none in ")
        enough = int(rest.removesuffix(" images from source 'a' it has"))
        for count, missing in ((enough - 1, True), (enough, False)):
            more = images(("a", "all", ["x"] * 20 + ["y"] * count))
            assert (split not in split_images(more, PARAMS)[20:]) is missing


def test_a_gap_of_sources_says_which_split_is_missing():
    found = images(("real", "test", ["x"] * 5))
    problems = gaps(found, split_images(found, PARAMS), ["x"], PARAMS)
    assert list(problems.values()) == [
        f"class 'x' (images: 5) has none in {split}: "
        f"it needs images from a source whose `splits` have {split}"
        for split in ("train", "val")
    ]


def test_a_class_without_images_is_a_gap():
    found = images(("a", "all", ["x"] * 20))
    problems = gaps(found, split_images(found, PARAMS), ["x", "y"], PARAMS)
    assert set(problems.values()) == {
        "class 'y' has no images at all: draw or add some, or leave the class out"
    }


def test_only_copies_of_training_images_are_used():
    splits = split_copies(np.array(["train", "val", "test", "train"]))
    assert splits.tolist() == ["train", "unused", "unused", "train"]


MIXED = images(
    ("tissue", "all", ["common", "common", "rare"] * 15),
    ("clinic", "test", ["rare", "common"]),
    ("photos", "train and val", ["common"] * 20),
)
REACH = {"tissue": "all", "clinic": "test", "photos": "train and val"}


def by_the_rule(source: str, label: str, reach: str, place: int, seed: int) -> str:
    """The split of the ``place``-th image of its class and source, by shuffled blocks, each the
    smallest that has the ratios."""
    shares = SHARES[reach]
    size = lcm(*(share.denominator for share in shares.values()))
    names = [name for name, share in shares.items() for _ in range(int(share * size))]
    block, within = divmod(place, size)
    return Pcg64.of(seed, "split", f"{source}/{label}/{block}").shuffled(names)[within]


def test_splits_are_those_of_the_rule_written_a_second_time():
    places = Counter()
    for k, split in enumerate(split_images(MIXED, PARAMS).tolist()):
        stream = (str(MIXED.sources[k]), str(MIXED.labels[k]))
        assert split == by_the_rule(*stream, REACH[stream[0]], places[stream], PARAMS.seed)
        places[stream] += 1


def test_splits_are_what_they_have_always_been():
    """. for train, v for val, t for test: a split that moved would judge models on images that
    others learned from."""
    letters = {"train": ".", "val": "v", "test": "t"}
    drawn = "".join(letters[split] for split in split_images(MIXED, PARAMS).tolist())
    assert drawn[:45] == "...t.........v.....tv.v.v...t..v...t..t...v.."
    assert drawn[45:] == "tt.v...v..v..........."
