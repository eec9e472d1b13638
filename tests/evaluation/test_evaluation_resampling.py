import numpy as np
from sklearn import metrics as sk

from raresight.pipeline.evaluation.metrics import confusion
from raresight.pipeline.evaluation.metrics.ranking import average_precision, rank, roc_auc
from raresight.pipeline.evaluation.uncertainty.resampling import (
    BINS,
    resample_cells,
    resample_rankings,
    smooth_confusion,
    smooth_margins,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


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


def test_smooth_counts_keep_the_classes_and_centre_on_what_was_seen():
    counts = np.array([[97, 3, 0], [10, 0, 0], [5, 0, 45]])
    drawn = smooth_confusion(counts, resamples=4000, rng=rng())
    np.testing.assert_allclose(drawn.sum(axis=2), np.tile([100, 10, 50], (4000, 1)))
    # The posterior's mean: 2 / 9 of an answer more in each cell, in the same total.
    totals = counts.sum(axis=1, keepdims=True)
    expected = (counts + 2 / 9) / (totals + 2 / 3) * totals
    np.testing.assert_allclose(drawn.mean(axis=0), expected, atol=0.2)
    assert (drawn[:, 1, 1] > 0).all()


def test_smoothing_adds_few_mistakes_however_many_classes_there_are():
    counts = 27 * np.eye(10, dtype=int)
    drawn = smooth_confusion(counts, resamples=500, rng=rng())
    mistakes = drawn.sum(axis=(1, 2)) - np.trace(drawn, axis1=1, axis2=2)
    assert 1 < mistakes.mean() < 2


def large(share: float, *, rows: int = 20_000):
    positive = np.arange(rows) < rows * share
    return rank(rng(8).normal(size=rows) + 1.5 * positive, positive), positive.astype(int)


def row_by_row(ranking, targets, resamples, rng):
    """What a ranking of any number of levels gives where it is drawn row by row."""
    return resample_rankings([ranking, ranking], targets, both, resamples=resamples, rng=rng)[:, 0]


def test_binned_intervals_end_where_exact_ones_do():
    ranking, targets = large(0.3)
    assert ranking.num_levels > 3 * BINS
    binned = resample_rankings([ranking], targets, both, resamples=1000, rng=rng(9))[:, 0]
    ends = [
        np.quantile(drawn, [0.025, 0.975], axis=0)
        for drawn in (binned, row_by_row(ranking, targets, 1000, rng(9)))
    ]
    width = np.diff(ends[1], axis=0)
    # Two runs of 1,000 resamples differ by .02 of the width at an end, one deviation.
    np.testing.assert_allclose(ends[0] / width, ends[1] / width, atol=0.08)


def test_a_rare_class_has_few_levels_and_is_never_binned():
    ranking, _ = large(0.01)
    assert ranking.num_levels <= 401
    assert ranking.binned(BINS) is ranking


def test_whole_sources_are_drawn():
    # Five groups of 1 to 5 rows, all in one cell of their own.
    groups = np.repeat(np.arange(5), np.arange(1, 6))
    drawn = resample_cells(
        groups, np.zeros(15, int), groups, num_cells=5, resamples=500, rng=rng(11)
    )
    times = drawn / np.arange(1, 6)
    assert (times == times.round()).all()
    assert (times.sum(axis=1) == 5).all()
    np.testing.assert_allclose(times.mean(axis=0), 1, atol=0.2)


def test_sources_of_one_row_each_change_nothing():
    strata = np.repeat([0, 1], [40, 30])
    ranking = rank(rng(12).random(70), strata == 1)
    plain, named = (
        resample_rankings([ranking], strata, both, resamples=9, rng=rng(13), groups=groups)
        for groups in (None, np.arange(70))
    )
    assert (plain == named).all()


def test_correlated_rows_of_a_source_widen_the_spread():
    strata = np.repeat([0, 1], [100, 100])
    scores = np.repeat(rng(14).random(20) + 0.3 * (np.arange(20) >= 10), 10)
    ranking = rank(scores, strata == 1)
    alone, grouped = (
        resample_rankings([ranking], strata, both, resamples=500, rng=rng(15), groups=groups)[
            :, 0, 1
        ].std()
        for groups in (None, np.arange(200) // 10)
    )
    assert grouped > 2 * alone


def test_margins_of_many_classes_are_drawn_as_whole_confusions_are():
    """The same mean and spread of every metric, from the cells that hold answers alone."""
    rng, size = np.random.default_rng(3), 60
    targets = np.arange(600) % size
    predicted = np.where(rng.random(600) < 0.8, targets, rng.integers(0, size, 600))
    counts = confusion.confusion(targets, predicted, num_classes=size)
    effective = counts.sum(1) * 0.7
    options = {"resamples": 1500, "effective": effective}
    whole = smooth_confusion(counts, rng=np.random.default_rng(4), **options)
    drawn = smooth_margins(counts, rng=np.random.default_rng(5), **options)
    np.testing.assert_allclose(drawn.actual[0], counts.sum(1))
    np.testing.assert_allclose(drawn.predicted.sum(1), 600)
    assert (drawn.right <= drawn.actual + 1e-9).all()
    for metric in (confusion.recall, confusion.f1, confusion.mcc, confusion.balanced_accuracy):
        one, other = metric(whole), metric(drawn)
        np.testing.assert_allclose(one.mean(0), other.mean(0), atol=0.02)
        np.testing.assert_allclose(one.std(0), other.std(0), atol=0.02)
