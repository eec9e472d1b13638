"""Which factors carry the difficulty: on images whose difficulty is made."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from raresight.pipeline.evaluation.baselines.difficulty import effects, own_class_ranks


def test_a_factor_with_numbers_has_its_rank_correlation():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 9, 200).astype(float)
    ranks = values + 3 * rng.random(200)
    values[:50] = np.nan
    (found,) = effects(ranks, {"contrast": values})
    expected = spearmanr(values[50:], ranks[50:]).statistic
    assert found.strength == pytest.approx(expected)
    assert (found.harder, found.images) == ("where low", 150)
    assert effects(-ranks, {"contrast": values})[0].harder == "where high"


def test_a_factor_with_words_names_the_value_that_is_hardest():
    kinds = np.array(["dent", "hole", "stain"] * 60, object)
    ranks = np.random.default_rng(0).random(180)
    ranks[kinds == "stain"] -= 5
    kinds[:3] = None
    (found,) = effects(ranks, {"kind": kinds})
    assert (found.harder, found.images) == ("stain", 177)
    assert found.strength > 0.9


def test_the_strongest_comes_first_and_what_says_nothing_is_left_out():
    rng = np.random.default_rng(0)
    ranks = rng.random(400)
    found = effects(
        ranks,
        {
            "noise": rng.random(400),
            "size": ranks**2,
            "same": np.ones(400),
            "rare": np.where(np.arange(400) < 9, 1.0, np.nan),
            "name": np.array([f"image {k}" for k in range(400)], object),
            "random": np.array(["a", "b"], object)[rng.integers(0, 2, 400)],
        },
    )
    assert found[0].factor == "size"
    assert found[0].strength == pytest.approx(1)
    assert {effect.factor for effect in found} == {"size", "noise", "random"}
    assert max(effect.strength for effect in found[1:]) < 0.15


def test_faint_spots_are_harder_than_strong_ones():
    """Smooth spots whose noise is lessened by a known share: the share is what counts."""
    rng = np.random.default_rng(0)
    images = rng.integers(80, 120, (600, 16, 16, 1), np.uint8)
    targets = (np.arange(600) % 3 == 0).astype(int)
    share = rng.random(600)
    for row in np.flatnonzero(targets):
        y, x = rng.integers(0, 11, 2)
        part = images[row, y : y + 5, x : x + 5]
        part[:] = 100 + (part - 100.0) * (1 - share[row])
    ranks = own_class_ranks(images, np.arange(600), targets, num_classes=2, seed=0)
    assert ranks.min() == 0
    assert ranks.max() == 1
    rare = targets == 1
    found = {
        e.factor: e for e in effects(ranks[rare], {"share": share[rare], "u": rng.random(200)})
    }
    assert found["share"].strength > 0.4 > 0.2 > found["u"].strength
    assert found["share"].harder == "where low"
