import numpy as np
import pytest

from raresight.pipeline.evaluation.uncertainty.resampling import by_appearance, row_weights

TARGETS = np.array([0, 0, 0, 0, 1, 1, 1, 0])
GROUPS = np.array([0, 0, 1, 2, 3, 3, 4, 4])  # the last holds both classes


def drawn(groups=GROUPS, targets=TARGETS, resamples=500):
    rng = np.random.default_rng(0)
    return np.concatenate(list(row_weights(groups, targets, resamples=resamples, rng=rng)))


def test_the_rows_of_a_source_are_drawn_together():
    weights = drawn()
    assert weights.shape == (500, len(GROUPS))
    for group in range(5):
        rows = weights[:, group == GROUPS]
        assert (rows == rows[:, :1]).all()


def test_as_many_sources_of_each_kind_are_drawn_as_there_are():
    weights = drawn()
    first = [np.flatnonzero(group == GROUPS)[0] for group in range(5)]
    groups = weights[:, first]
    assert (groups[:, :3].sum(axis=1) == 3).all()  # of one class
    assert (groups[:, 3] == 1).all()
    assert (groups[:, 4] == 1).all()  # alone in holding both


def test_sources_of_one_row_are_drawn_with_replacement_within_their_class():
    targets = np.repeat([0, 1], [40, 20])
    weights = drawn(np.arange(60), targets, resamples=4000)
    assert (weights[:, :40].sum(axis=1) == 40).all()
    assert (weights[:, 40:].sum(axis=1) == 20).all()
    # Each count is Binomial(20, 1/20): its mean is 1 and its variance 1 - 1/20.
    assert weights[:, 40:].mean(axis=0) == pytest.approx(1, abs=0.08)
    assert weights[:, 40:].var() == pytest.approx(0.95, rel=0.05)


def test_without_sources_each_row_is_of_its_own():
    rng = np.random.default_rng(0)
    alone = np.concatenate(list(row_weights(None, TARGETS, resamples=5, rng=rng)))
    assert (alone == drawn(np.arange(8), resamples=5)).all()


def test_sources_are_numbered_as_they_appear():
    assert by_appearance(np.array([7, 3, 7, 9, 3])).tolist() == [0, 1, 0, 2, 1]
