"""Folds: what is held out when, whatever belongs together."""

import numpy as np
import pytest

from raresight.pipeline.training.folds import Folds, assign_folds


def spread(targets, fold, folds):
    return np.stack([np.bincount(targets[fold == k], minlength=2) for k in range(folds)])


def test_classes_are_spread_as_evenly_as_can_be():
    targets = (np.arange(1003) % 59 == 0).astype(int)  # 17 positives
    fold = assign_folds(targets, np.arange(1003), folds=5, seed=1)
    counts = spread(targets, fold, 5)
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert (fold == assign_folds(targets, np.arange(1003), folds=5, seed=1)).all()
    assert (fold != assign_folds(targets, np.arange(1003), folds=5, seed=2)).any()


@pytest.mark.parametrize("seed", range(3))
def test_groups_stay_together_and_each_fold_has_of_the_rare_class(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 60, 600)
    rare = rng.permutation(60)[:7]  # so many groups have of it, all of them some of the other too
    targets = (np.isin(groups, rare) & (np.arange(600) % 2 == 0)).astype(int)
    fold = assign_folds(targets, groups, folds=5, seed=seed)
    assert all(len(set(fold[groups == group])) == 1 for group in np.unique(groups))
    counts = spread(targets, fold, 5)
    assert (counts[:, 1] > 0).all()
    assert counts[:, 0].min() > 60  # of about 117 each


def test_what_is_in_no_fold_is_in_every_training():
    folds = Folds(rows=np.arange(10), held=[np.array([1, 4]), np.array([2, 7])])
    assert folds.learned(0).tolist() == [0, 2, 3, 5, 6, 7, 8, 9]
    assert folds.learned(1).tolist() == [0, 1, 3, 4, 5, 6, 8, 9]
    assert folds.scored.tolist() == [1, 4, 2, 7]
