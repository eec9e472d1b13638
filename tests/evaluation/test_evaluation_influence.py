"""What each row adds to a ranking's value, and how a value varies where rows are of one group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raresight.pipeline.evaluation.metrics.ranking import average_precision, rank, roc_auc
from raresight.pipeline.evaluation.uncertainty.influence import (
    average_precision_influence,
    roc_auc_influence,
    spread,
)

rows = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=4, max_size=60).filter(
    lambda rows: min(sum(positive for _, positive in rows), sum(not p for _, p in rows)) >= 2
)


def split(rows):
    scores, positive = zip(*rows, strict=True)
    return np.array(scores, float), np.array(positive)


def variance_by_pairs(scores: np.ndarray, positive: np.ndarray) -> float:
    """DeLong's variance from the matrix of all pairs."""
    ahead = scores[positive][:, None] - scores[~positive]
    wins = (ahead > 0) + 0.5 * (ahead == 0)
    parts = (wins.mean(axis=1), wins.mean(axis=0))
    return sum(part.var(ddof=1) / len(part) for part in parts)


@given(rows)
def test_the_variance_of_a_roc_auc_is_delongs(rows):
    scores, positive = split(rows)
    ranking = rank(scores, positive)
    found = spread(roc_auc_influence(*ranking.counts()), ranking, None)
    assert found.variance == pytest.approx(variance_by_pairs(scores, positive), abs=1e-12)


@given(rows)
def test_rows_that_are_groups_of_their_own_change_nothing(rows):
    scores, positive = split(rows)
    ranking = rank(scores, positive)
    for influence in (roc_auc_influence, average_precision_influence):
        of_rows = influence(*ranking.counts())
        alone = spread(of_rows, ranking, None)
        named = spread(of_rows, ranking, np.arange(len(scores)))
        assert named.variance == pytest.approx(alone.variance, abs=1e-12)
        assert (named.positives, named.negatives) == (alone.positives, alone.negatives)


@pytest.mark.parametrize(
    ("influence", "value"),
    [(roc_auc_influence, roc_auc), (average_precision_influence, average_precision)],
)
def test_the_influence_of_a_row_is_the_change_when_it_counts_a_little_more(influence, value):
    draw = np.random.default_rng(0)
    positive = np.arange(60) < 20
    ranking = rank((draw.normal(size=60) + positive).round(1), positive)
    positives, negatives = (counts.astype(float) for counts in ranking.counts())
    found = influence(positives, negatives)
    assert found.value == pytest.approx(float(value(positives, negatives)))
    step, of_positives, of_negatives = 1e-6, [], []
    for level in range(ranking.num_levels):
        more = np.eye(ranking.num_levels)[level] * step
        of_positives.append((value(positives + more, negatives) - found.value) / step)
        of_negatives.append((value(positives, negatives + more) - found.value) / step)
    # Up to what a row more of either kind changes wherever it lies: their numbers are given.
    for changes, known, counts in (
        (of_positives, found.of_positives, positives),
        (of_negatives, found.of_negatives, negatives),
    ):
        off = (np.array(changes) - known)[counts > 0]
        np.testing.assert_allclose(off, off[0], atol=1e-5)
        assert counts @ known == pytest.approx(0, abs=1e-12)


def test_equal_rows_in_a_group_count_once():
    draw = np.random.default_rng(1)
    positive = np.arange(90) < 30
    scores = draw.normal(size=90) + positive
    single, double = rank(scores, positive), rank(np.repeat(scores, 2), np.repeat(positive, 2))
    groups = np.repeat(np.arange(90), 2)
    for influence in (roc_auc_influence, average_precision_influence):
        once = spread(influence(*single.counts()), single, None)
        twice = spread(influence(*double.counts()), double, groups)
        # 59 degrees of freedom are left of 60 rows where 29 are of 30 groups.
        assert twice.variance == pytest.approx(once.variance, rel=0.02)
        assert (twice.positives, twice.negatives) == pytest.approx((30, 60), rel=0.05)


def test_few_rows_that_decide_leave_few_degrees_of_freedom():
    # One positive of 40 is far down, and alone makes the average precision vary.
    positive = np.repeat([True, False, True], [39, 200, 1])
    ranking = rank(-np.arange(240.0), positive)
    found = spread(average_precision_influence(*ranking.counts()), ranking, None)
    assert found.degrees_of_freedom < 4
    assert found.quantile(0.95) > 2.7


def test_all_positives_of_one_group_tell_nothing_of_others():
    positive = np.arange(12) < 4
    ranking = rank(-np.arange(12.0), positive)
    groups = np.concatenate([np.zeros(4, int), np.arange(1, 9)])
    assert spread(roc_auc_influence(*ranking.counts()), ranking, groups) is None
