"""The permutation test of two rankings, beside all permutations and other libraries."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.compare import TASK, simulate
from raresight.pipeline.evaluation.decisions.predictions import predict_labels
from raresight.pipeline.evaluation.uncertainty.permutation import permutation_tests


def permuted(targets, scores, groups=None, seed=0):
    old, new = (predict_labels(TASK, targets, one, threshold=0.5) for one in scores)
    groups = np.arange(len(targets)) if groups is None else groups
    return permutation_tests(old, new, groups, rng=np.random.default_rng(seed))


def test_few_images_are_tested_as_all_their_permutations_say():
    targets, scores = simulate(np.random.default_rng(3), (0.5, 4), positives=3, negatives=5)
    found = permuted(targets, scores)
    ranks = [rankdata(one[:, 1]) for one in scores]
    for name, metric in (
        ("average_precision", average_precision_score),
        ("roc_auc", roc_auc_score),
    ):
        shifts = [
            metric(targets, np.where(flip, *ranks)) - metric(targets, np.where(flip, *ranks[::-1]))
            for flip in product([False, True], repeat=len(targets))
        ]
        exact = np.mean(np.abs(shifts) >= abs(shifts[0]) - 1e-12)
        assert found[name] == pytest.approx(exact, abs=4 * np.sqrt(exact / 1000))


def test_a_models_own_scale_does_not_matter():
    targets, (old, new) = simulate(np.random.default_rng(2), (1, 3), positives=8, negatives=60)
    squeezed = np.stack([1 - new[:, 1] ** 3, new[:, 1] ** 3], axis=1)
    assert permuted(targets, (old, new)) == permuted(targets, (old, squeezed))


def test_images_of_one_group_change_sides_together():
    targets, scores = simulate(np.random.default_rng(5), (1, 3), positives=4, negatives=10)
    rows = np.repeat(np.arange(14), 6)
    copied = [one[rows] for one in scores]
    apart, together = (permuted(targets[rows], copied, groups) for groups in (None, rows))
    # Six copies an image are six times the evidence only where they are taken for strangers.
    assert apart["roc_auc"] < together["roc_auc"]
    assert together["roc_auc"] == pytest.approx(permuted(targets, scores)["roc_auc"], abs=0.05)
