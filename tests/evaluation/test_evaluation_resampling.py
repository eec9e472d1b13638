import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.evaluation.ranking import average_precision, rank, roc_auc
from pipeline.evaluation.resampling import resample_confusion, resample_rankings


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_resampled_confusion_keeps_the_classes_and_has_binomial_moments():
    counts = np.array([[80, 20, 0], [0, 0, 0], [5, 0, 45]])
    drawn = resample_confusion(counts, resamples=4000, rng=rng())
    assert (drawn.sum(axis=2) == [100, 0, 50]).all()
    np.testing.assert_allclose(drawn.mean(axis=0), counts, atol=0.3)
    assert drawn[:, 0, 1].var() == pytest.approx(100 * 0.2 * 0.8, rel=0.1)
    assert (drawn[:, 0, 2] == 0).all()


def both(positives, negatives):
    return np.stack([average_precision(positives, negatives), roc_auc(positives, negatives)], -1)


def test_the_bootstrap_agrees_with_scikit_learn_in_a_loop():
    draw = rng(1)
    positive = np.arange(120) < 30
    scores = np.round(draw.normal(size=120) + 1.2 * positive, 1)
    fast = resample_rankings(
        [rank(scores, positive)], positive.astype(int), both, resamples=2000, rng=draw
    )[:, 0]
    slow = []
    for _ in range(300):
        rows = np.concatenate([draw.integers(0, 30, 30), draw.integers(30, 120, 90)])
        sample = positive[rows], scores[rows]
        slow.append((sk.average_precision_score(*sample), sk.roc_auc_score(*sample)))
    # Tolerances are four standard errors of the loop: sd / sqrt(300), and sd / sqrt(2 * 300).
    sd = np.std(slow, axis=0)
    np.testing.assert_allclose(fast.mean(axis=0) / sd, np.mean(slow, axis=0) / sd, atol=0.24)
    np.testing.assert_allclose(fast.std(axis=0) / sd, 1, atol=0.17)


def test_several_rankings_are_resampled_by_the_same_draw():
    strata = np.repeat([0, 1], [50, 70])
    scores = rng(2).random(120)
    pair = [rank(scores, strata == 1), rank(scores, strata == 1)]
    drawn = resample_rankings(pair, strata, both, resamples=50, rng=rng(3))
    assert drawn.shape == (50, 2, 2)
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert len(np.unique(drawn[:, 0, 0])) > 40


def test_every_resample_keeps_the_size_of_each_stratum():
    strata = rng(4).integers(0, 3, 100)
    ranking = rank(rng(5).random(100), strata == 2)

    def sizes(positives, negatives):
        return np.stack([positives.sum(-1), negatives.sum(-1)], -1)

    drawn = resample_rankings([ranking], strata, sizes, resamples=30, rng=rng(6))
    assert (drawn == [(strata == 2).sum(), (strata != 2).sum()]).all()


def test_the_chunks_of_a_large_set_hold_all_resamples():
    strata = np.arange(100_000) % 2
    ranking = rank(np.repeat([0.0, 1.0], 50_000), strata == 1)
    drawn = resample_rankings([ranking], strata, both, resamples=5, rng=rng(7))
    assert drawn.shape == (5, 1, 2)
    np.testing.assert_allclose(drawn[..., 1], 0.5, atol=0.02)
