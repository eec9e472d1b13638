"""The band around the curves: it holds the truth, also where images belong to groups."""

import numpy as np
import pytest
from scipy.stats import norm

from raresight.pipeline.evaluation.metrics.ranking import rank
from raresight.pipeline.evaluation.uncertainty.bands import BAND, false_positive_band
from raresight.pipeline.evaluation.uncertainty.intervals import wilson

APART = 2.5  # deviations between the kinds


def band(scores, positive, groups=None):
    return false_positive_band(rank(scores, positive), groups, confidence=0.95)


def draw(rng, groups, size, mean):
    """Scores (groups * size,) of deviation 1, of which each group shares half the variance."""
    shared = rng.normal(0, np.sqrt(0.5 if size > 1 else 0), groups)
    own = rng.normal(0, np.sqrt(0.5 if size > 1 else 1), (groups, size))
    return (mean + shared[:, None] + own).ravel()


@pytest.mark.parametrize(
    ("positives", "negatives", "size"), [(20, 400, 1), (100, 1000, 1), (10, 100, 4), (30, 125, 4)]
)
def test_it_holds_the_false_positive_rate_at_every_recall(positives, negatives, size):
    rng, held = np.random.default_rng(positives), []
    truth = norm.sf(APART + norm.isf(BAND[:-1]))
    groups = np.repeat(np.arange(positives + negatives), size)
    positive = groups < positives
    for _ in range(60):
        scores = np.concatenate(
            (draw(rng, positives, size, APART), draw(rng, negatives, size, 0.0))
        )
        low, high = band(scores, positive, groups if size > 1 else None)[:, :-1]
        held.append((low <= truth) & (truth <= high))
    # At each recall, over 60 sets: the worst of 99 recalls may be off by chance.
    assert np.mean(held) >= 0.95
    assert np.mean(held, axis=0).min() >= 0.85


def test_by_hand():
    # Best first: 10 positives, then 90 negatives: no threshold makes a false positive.
    positive = np.arange(100) < 10
    low, high = band(np.arange(100)[::-1] / 100, positive)
    assert (low == 0).all()
    most = wilson(0, 90, confidence=0.95)[1]
    sure = wilson(10, 10, confidence=0.95)[0] > BAND  # else perhaps below all of the positives
    assert sure.sum() == 72
    np.testing.assert_allclose(high[sure], most)
    np.testing.assert_allclose(high[~sure], 1)


def test_of_one_group_nothing_is_known():
    positive = np.arange(12) < 4
    groups = np.where(positive, 0, np.arange(12))
    assert band(np.arange(12)[::-1] / 12, positive, groups) is None
