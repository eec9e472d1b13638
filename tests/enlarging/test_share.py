"""How many made images: gains by hand, what they are worth in real ones, and what is said."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from raresight.pipeline.enlarging.judging import MadeImages, refuse_collapsed
from raresight.pipeline.enlarging.share import choose, numbers, worth
from raresight.pipeline.enlarging.telling import choice_sentences, sentences
from raresight.pipeline.runtime.errors import DivergedError
from raresight.pipeline.sweeps.gains import Gain, average_precisions, gains


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_average_precision_is_scikit_learns_with_ties_and_weights():
    draw = rng(1)
    scores, positive = draw.integers(0, 12, 80) / 12, draw.random(80) < 0.3
    weights = draw.integers(0, 4, (5, 80)).astype(float)
    expected = [average_precision_score(positive, scores, sample_weight=one) for one in weights]
    np.testing.assert_allclose(average_precisions(scores, positive, weights), expected)


def ranked(quality, arms_seeds, n=300, seed=0):
    """Scores that rank positives the better the higher ``quality`` (A,), alike in all seeds."""
    draw = rng(seed)
    positive = np.arange(n) < 60
    base = draw.normal(0, 1, n)
    noise = draw.normal(0, 0.1, (*arms_seeds, n))
    return base + positive * np.asarray(quality)[:, None, None] + noise, positive


def test_a_gain_has_both_doubts_and_a_loss_is_one():
    scores, positive = ranked([1.5, 2.5, 1.5, 0.5], (4, 3))
    groups = np.arange(300)
    better, same, worse = gains(scores, positive, groups, seed=1)
    every = np.ones((1, 300))
    reached = np.array([[average_precisions(s, positive, every)[0] for s in arm] for arm in scores])
    assert better.mean == pytest.approx(reached[1].mean() - reached[0].mean())
    assert 0 < better.low < better.mean < better.high
    assert same.low < 0 < same.high
    assert worse.high < 0
    # Fewer images tell less, and so do those that are one another's repetitions.
    few = np.concatenate((np.arange(15), np.arange(60, 120)))
    (less, *_) = gains(scores[..., few], positive[few], groups[few], seed=1)
    assert less.high - less.low > 1.2 * (better.high - better.low)
    four = np.repeat(np.arange(300), 4)
    (again, *_) = gains(scores[..., four], positive[four], four, seed=1)
    (alone, *_) = gains(scores[..., four], positive[four], np.arange(1200), seed=1)
    assert again.high - again.low > 1.5 * (alone.high - alone.low)
    # Seeds that disagree widen it, too.
    scores[1, 0] -= positive * 1.5
    (unsure, *_) = gains(scores, positive, groups, seed=1)
    assert unsure.high - unsure.low > 1.5 * (better.high - better.low)


def gain(mean, wide):
    return Gain(mean=mean, low=mean - wide, high=mean + wide)


def test_only_what_is_surely_better_than_nothing_is_chosen():
    assert numbers(8) == [0, 1, 2, 4, 8]
    assert numbers(5) == [0, 1, 2, 4, 5]
    assert numbers(1) == [0, 1]
    unsure, small, harmful = gain(0.05, 0.06), gain(0.03, 0.02), gain(-0.2, 0.05)
    assert choose([0, 1, 2, 4], [small, unsure, harmful]) == (1, 2)
    assert choose([0, 1, 2], [unsure, harmful]) == (0, 1)
    assert choose([0, 4, 8], [gain(0.1, 0.01), gain(0.2, 0.01)]) == (8, 8)


def test_made_images_are_told_in_real_ones():
    sizes = np.array([10.0, 20, 40])
    errors = 2 * sizes**-0.5
    twice, nothing = errors[-1] - 2 * 80**-0.5, gain(-0.1, 0.01)
    found = worth(sizes, errors, gain(twice, 0.02), made=160)
    assert found.real == pytest.approx(40, rel=0.02)
    assert found.low < found.real < found.high
    assert not found.more
    assert worth(sizes, errors, nothing, made=160).real == 0
    beyond = worth(sizes, errors, gain(0.3, 0.01), made=160)
    assert (beyond.real, beyond.more) == (120, True)
    # A curve that no real image improves gives made ones no worth in them.
    assert worth(sizes, np.full(3, 0.3), gain(0.05, 0.01), made=160).more


def choice(chosen, best, mean, low):
    tried = [
        {"each": 0, "gain": None},
        {"each": 4, "gain": {"mean": mean, "low": low, "high": 0.2}},
    ]
    value = {"made": 160, "real": 40.0, "low": 10.0, "high": 70.0, "more": False}
    return {"tried": tried, "chosen": chosen, "best": best, "worth": value, "judged_by": 20}


def test_the_choice_is_said_plainly():
    text = " ".join(choice_sentences(choice(0, 4, 0.02, -0.1)))
    assert "none is surely better than nothing" in text
    assert "real ones" not in text
    assert "+0.020 average precision (-0.100 to +0.200)" in text
    assert "20 positives, too few to choose by" in text
    text = " ".join(choice_sentences(choice(4, 4, 0.1, 0.05)))
    assert "chosen: 4 made images of each real one" in text
    assert "as much as 40 more real ones would (10 to 70): one made image was worth 0.25" in text


def test_what_a_careless_generator_betrays_is_a_warning():
    found = {"held_out": 40, "made": 80, "visible": 0.5, "seam": 0.9, "told_apart": 0.6}
    copies = {"memorized": 0.8, "coverage": 0.1, "coverage_of_real": 0.9, "recall": 0.0}
    told = list(sentences("rare", found | {"neighbors": copies}))
    assert [serious for _, serious in told] == [True, True, False, True, True]
    assert "these are copies" in told[3][0]
    fine = {"memorized": 0.01, "coverage": 0.8, "coverage_of_real": 0.9, "recall": 0.8}
    found |= {"visible": 1.0, "seam": 0.55}
    assert not any(serious for _, serious in sentences("rare", found | {"neighbors": fine}))
    few = list(sentences("rare", found | {"neighbors": None, "held_out": 12}))
    assert "12 validation images of 'rare' (30 are the least) are too few" in few[-1][0]


def test_where_nothing_shows_its_label_that_is_said():
    none = {"held_out": 40, "made": 0, "visible": None, "seam": None, "told_apart": None}
    (first, serious), (last, _) = sentences("rare", none | {"neighbors": None})
    assert "shows its label" in first
    assert serious
    assert "0 made images are too few" in last


def test_a_generator_that_makes_one_image_is_refused():
    image = rng().integers(0, 256, (8, 8, 3)).astype(np.uint8)

    def made(images):
        return MadeImages(
            label="rare", maker="source 'gan'", ids=[str(k) for k in range(len(images))],
            images=images, masks=[None] * len(images),
        )  # fmt: skip

    same = np.stack([image] * 5)
    with pytest.raises(DivergedError, match=r"all 5 images of 'rare' by source 'gan' are the same"):
        refuse_collapsed(made(same))
    black = np.zeros_like(same)  # NaN, once it was written to a file
    with pytest.raises(DivergedError):
        refuse_collapsed(made(black))
    same[2, 3, 3] ^= 64
    refuse_collapsed(made(same))
    refuse_collapsed(made(same[:1]))
