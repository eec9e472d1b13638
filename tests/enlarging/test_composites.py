"""Composites by hand: what is cut, where it goes, and what a careless one betrays."""

import numpy as np
import pytest

from raresight.pipeline.cleaning.statistics import statistics
from raresight.pipeline.enlarging.checks import neighbors, standardized, told_apart
from raresight.pipeline.enlarging.composites import (
    composite,
    contrast,
    cut_out,
    paste,
    place,
    turned,
)


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def scene(y, x, side=40, size=6, level=30):
    """Gray ground with a dark square of ``size`` pixels at y, x, and its mask."""
    image, mask = np.full((side, side, 3), 150, np.uint8), np.zeros((side, side), np.uint8)
    mask[max(0, y) : y + size, max(0, x) : x + size] = 1
    image[mask > 0] = level
    return image, mask


def test_the_object_goes_over_whole_and_fades_into_the_ground():
    image, mask = scene(15, 15)
    cut = cut_out(image, mask, surroundings=2)
    assert cut.mask.shape == (16, 16)  # 6 pixels, and 5 on each side
    assert cut.flush == (False, False, False, False)
    assert (cut.alpha[cut.mask] == 1).all()
    assert cut.alpha[0].max() < 0.05  # nothing ends at the edge of the piece
    assert 0 < cut.alpha[3, 8] < 1
    ground = np.full((40, 40, 3), 200, np.uint8)
    made, drawn = paste(cut, ground, (3, 20))
    assert drawn.sum() == 36
    assert (made[drawn > 0] == 30).all()
    assert (made[30:] == 200).all()
    assert (ground == 200).all()
    with pytest.raises(ValueError, match="the mask is empty"):
        cut_out(image, mask * 0, surroundings=2)


def test_what_was_cut_by_the_border_stays_at_it_however_it_is_turned():
    image, mask = scene(-3, 15)  # half of it is above the image
    cut = cut_out(image, mask, surroundings=2)
    assert cut.flush == (True, False, False, False)
    free = np.zeros((40, 40), bool)
    sides = {
        (turns, mirrored): place(turned(cut, quarter_turns=turns, mirrored=mirrored), free, rng())
        for turns in range(4)
        for mirrored in (False, True)
    }
    room = 40 - cut.mask.shape[0]
    for (turns, mirrored), (y, x) in sides.items():
        made = turned(cut, quarter_turns=turns, mirrored=mirrored)
        edge = {0: made.mask[0], 1: made.mask[:, 0], 2: made.mask[-1], 3: made.mask[:, -1]}
        where = {0: y == 0, 1: x == 0, 2: y == room, 3: x == room}
        side = {1: 3, 3: 1}.get(turns, turns) if mirrored else turns
        assert edge[side].any()
        assert where[side], (turns, mirrored)


def test_a_place_is_free_or_there_is_none():
    cut = cut_out(*scene(15, 15), surroundings=1)
    occupied = np.ones((40, 40), bool)
    assert place(cut, occupied, rng()) is None
    occupied[:, 20:] = False
    found = [place(cut, occupied, rng(seed)) for seed in range(20)]
    assert all(one is None or one[1] >= 19 for one in found)
    assert any(found)
    assert place(cut, np.zeros((9, 9), bool), rng()) is None


def test_it_is_a_function_of_its_stream_and_takes_the_first_ground_with_a_place():
    image, mask = scene(15, 15)
    full = (np.zeros_like(image), np.ones_like(mask))
    empty = (np.full_like(image, 200), None)
    one, two = (composite(image, mask, [full, empty], rng(4), surroundings=2) for _ in range(2))
    assert one[2] == 1
    assert all((a == b).all() for a, b in zip(one[:2], two[:2], strict=True))
    assert composite(image, mask, [full], rng(4), surroundings=2) is None
    assert contrast(*one[:2]) > 100
    assert contrast(np.full_like(image, 90), mask) == 0


def textures(count, seed, blur=False):
    images = rng(seed).integers(60, 200, (count, 24, 24, 3)).astype(np.uint8)
    return images // 2 + 60 if blur else images


def test_a_probe_tells_what_was_changed_and_not_what_was_not():
    plain, other = statistics(textures(60, 1)), statistics(textures(60, 2))
    assert told_apart(plain, other, seed=1) < 0.7
    assert told_apart(plain, statistics(textures(60, 3, blur=True)), seed=1) > 0.95
    assert told_apart(plain, other[:10], seed=1) is None


def test_copies_are_called_copies_and_a_collapsed_generator_covers_nothing():
    draw = rng(1)
    learned, held, fresh = (
        draw.normal(0, 1, (100, 4)),
        draw.normal(0, 1, (60, 4)),
        draw.normal(0, 1, (100, 4)),
    )
    learned, held, fresh = standardized(learned, held, fresh)
    honest = neighbors(fresh, learned, held)
    assert honest.memorized < 0.1
    assert honest.coverage > 0.8
    assert honest.recall > 0.8
    copies = neighbors(learned + 1e-3, learned, held)
    assert copies.memorized == 1
    collapsed = neighbors(learned[:1] + draw.normal(0, 1e-3, (100, 4)), learned, held)
    assert collapsed.recall == 0
    assert collapsed.coverage < 0.2
    assert neighbors(fresh, learned, held[:29]) is None
