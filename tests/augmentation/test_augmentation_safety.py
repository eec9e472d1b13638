"""Label safety: what survives, what is drawn again, and what is given up."""

import numpy as np
import pytest

from raresight.pipeline.augmentation.params import Step
from raresight.pipeline.augmentation.recipe import Recipe, build
from raresight.pipeline.augmentation.safety import Original, Policy, make_copy, violations

SIDE = 16
GREY = np.full((SIDE, SIDE, 3), 128, np.uint8)


def step(name: str, p: float = 1.0, **arguments) -> Step:
    return Step.model_validate({"name": name, "p": p, **arguments})


def shift_right(pixels: int, p: float = 1.0, **more) -> Step:
    return step("Affine", p, translate_px={"x": [pixels, pixels], "y": [0, 0]}, **more)


def original(rows: slice, columns: slice, id: str = "a") -> Original:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[rows, columns] = 1
    return Original.of(id, GREY, mask)


def policy(*steps: Step, **changes) -> Policy:
    rules = {"min_label_share": 0.5, "max_tries": 4, "seed": 0, "pixel": Recipe(())}
    return Policy(spatial=build(steps), **rules | changes)


def outline(name: str) -> np.ndarray:
    """A label at the right edge of the picture that leaves most of its box free."""
    y, x = np.mgrid[:SIDE, :SIDE]
    away = np.hypot(y - 7.5, x - 9.5)
    return {
        "ring": (away > 4) & (away < 6.5),
        "diagonal": (y == x) & (x >= 6),
        "corner": (y == 4) & (x >= 8) | (x == 8) & (y >= 4) & (y < 12),
    }[name].astype(np.uint8)


def share(of: Original, *steps: Step) -> float:
    _, moved = build(steps)(of.image, of.numbers, rng=np.random.default_rng(0))
    return of.surviving_share(moved)


@pytest.mark.parametrize(("pixels", "expected"), [(0, 1.0), (1, 0.75), (3, 0.25), (4, 0.0)])
def test_columns_that_leave_the_picture_are_lost(pixels, expected):
    at_the_right = original(slice(4, 8), slice(12, 16))
    assert share(at_the_right, shift_right(pixels)) == expected


@pytest.mark.parametrize("name", ["ring", "diagonal", "corner"])
@pytest.mark.parametrize("pixels", [0, 1, 4, 7])
def test_of_a_label_that_does_not_fill_its_box_its_own_pixels_are_counted(name, pixels):
    """Moved to the right, what is lost are the pixels of the last columns, and no others."""
    mask = outline(name)
    left = mask[:, : SIDE - pixels].sum() / mask.sum()
    moved = shift_right(pixels)
    label = Original.of("a", GREY, mask)
    assert mask.mean() < 0.6 * label.label.size / mask.size
    assert share(label, moved) == left
    kept = make_copy(label, 1, policy=policy(moved, min_label_share=left))
    expected = np.zeros(mask.shape, bool)
    expected[:, pixels:] = mask[:, : SIDE - pixels]
    assert np.array_equal(kept.mask, expected)
    more = make_copy(label, 1, policy=policy(moved, min_label_share=left + 1e-9))
    assert more.image is None


def test_what_is_painted_into_the_hole_of_a_ring_loses_nothing():
    """Of squares of 2 x 2 painted somewhere, the pixels on the ring count, and no others."""
    ring = Original.of("a", GREY, outline("ring"))
    hole = step(
        "CoarseDropout", num_holes_range=[1, 1], hole_height_range=[2, 2], hole_width_range=[2, 2]
    )
    found = set()
    for seed in range(40):
        image, moved = build([hole])(GREY, ring.numbers, rng=np.random.default_rng(seed))
        hit = outline("ring")[(image != GREY).any(axis=2)].sum()
        seen = np.count_nonzero(moved) / outline("ring").sum()
        assert seen == 1 - hit / outline("ring").sum()
        assert ring.keeps(moved, seen)
        found.add(int(hit))
    assert {0, 4} <= found


def test_a_mirrored_border_does_not_make_up_for_what_is_lost():
    # cv2's BORDER_REFLECT fills the 8 columns on the left with a mirror image of the next 8: all of
    # the picture is label again, but only half of the label's own pixels are still there
    everywhere = original(slice(0, SIDE), slice(0, SIDE))
    assert share(everywhere, shift_right(8, border_mode=2)) == 0.5


def test_enlarging_does_not_make_up_for_what_is_cut_off():
    everywhere = original(slice(0, SIDE), slice(0, SIDE))
    left = share(everywhere, step("Affine", scale=[2.0, 2.0]))
    assert 7 * 7 / 256 <= left <= 9 * 9 / 256  # 8 of 16 rows and columns, or one more or less


@pytest.mark.parametrize("degrees", range(0, 91, 9))
def test_a_label_that_is_only_turned_loses_next_to_nothing(degrees):
    in_the_middle = original(slice(4, 12), slice(4, 12))
    # Turning skips up to a sixth of the pixels one by one; only some at the corners may stay lost.
    assert share(in_the_middle, step("Rotate", limit=[degrees, degrees])) >= 0.9


@pytest.mark.parametrize("scale", [0.9, 0.7, 0.5])
def test_a_label_that_is_only_shrunk_loses_one_row_and_column_at_most(scale):
    in_the_middle = original(slice(4, 12), slice(4, 12))
    assert share(in_the_middle, step("Affine", scale=[scale, scale])) >= 7 * 7 / (8 * 8)


def test_a_label_that_shrinks_to_a_dot_is_lost():
    in_the_middle = original(slice(2, 14), slice(2, 14))
    assert share(in_the_middle, step("Affine", scale=[0.1, 0.1])) < 0.1


def test_what_is_painted_over_is_lost():
    everywhere = original(slice(0, SIDE), slice(0, SIDE))
    hole = step(
        "CoarseDropout", num_holes_range=[1, 1], hole_height_range=[4, 4], hole_width_range=[8, 8]
    )
    assert share(everywhere, hole) == 1 - 4 * 8 / 256


def test_without_a_label_in_pixels_nothing_can_be_lost():
    for mask in (None, np.zeros((SIDE, SIDE), np.uint8)):
        bare = Original.of("a", GREY, mask)
        copy = make_copy(bare, 1, policy=policy(shift_right(SIDE), min_label_share=1.0))
        assert copy.mask is None
        assert copy.redraws == 0


def test_a_copy_carries_the_moved_mask():
    copy = make_copy(original(slice(4, 8), slice(2, 6)), 1, policy=policy(shift_right(5)))
    expected = np.zeros((SIDE, SIDE), bool)
    expected[4:8, 7:11] = True
    assert np.array_equal(copy.mask, expected)


def test_a_copy_that_always_loses_its_label_is_given_up():
    at_the_right = original(slice(4, 8), slice(12, 16))
    given_up = make_copy(at_the_right, 1, policy=policy(shift_right(3), max_tries=4))
    assert given_up.image is None
    assert given_up.redraws == 3
    kept = make_copy(at_the_right, 1, policy=policy(shift_right(3), min_label_share=0.25))
    assert kept.image is not None
    assert kept.redraws == 0


def test_bad_draws_are_drawn_again_and_good_ones_left_alone():
    at_the_right = original(slice(4, 8), slice(12, 16))
    sometimes = shift_right(4, p=0.5)
    once, often = policy(sometimes, max_tries=1), policy(sometimes, max_tries=50)
    first = {k: make_copy(at_the_right, k, policy=once) for k in range(60)}
    final = {k: make_copy(at_the_right, k, policy=often) for k in range(60)}
    lost = {k for k, copy in first.items() if copy.image is None}
    assert 10 < len(lost) < 50  # half of 60
    assert {k for k, copy in final.items() if copy.redraws} == lost
    assert all(copy.mask.sum() == 16 for copy in final.values())


def test_variants_sources_and_seeds_have_streams_of_their_own():
    noisy = policy(pixel=build([step("GaussNoise")]))
    here = original(slice(4, 8), slice(4, 8))
    there = original(slice(4, 8), slice(4, 8), id="b")
    copies = [
        make_copy(here, 1, policy=noisy),
        make_copy(here, 2, policy=noisy),
        make_copy(there, 1, policy=noisy),
        make_copy(here, 1, policy=policy(pixel=build([step("GaussNoise")]), seed=1)),
    ]
    assert len({copy.image.tobytes() for copy in copies}) == 4
    assert np.array_equal(make_copy(here, 1, policy=noisy).image, copies[0].image)


def test_violations_are_counted_for_each_step_alone_and_always_applied():
    originals = [original(slice(4, 8), slice(left, left + 4)) for left in (4, 10, 12)]
    steps = [shift_right(3, p=0.01), step("HorizontalFlip"), shift_right(6)]
    # moved by 3 the label keeps 4, 3 and 1 of its 4 columns; by 6 it keeps 4, 0 and 0
    assert violations(steps, originals, min_label_share=0.5, seed=0) == {
        "Affine": 1,
        "HorizontalFlip": 0,
        "Affine#2": 2,
    }
