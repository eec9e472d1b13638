import numpy as np
import pytest
from scipy.stats import binom, chisquare
from sklearn import metrics as sk

from raresight.pipeline.evaluation.metrics.ranking import rank
from raresight.pipeline.evaluation.metrics.registry import RANKED
from raresight.pipeline.evaluation.metrics.table import ranking_quality
from raresight.pipeline.evaluation.uncertainty.methods import COMPILED
from raresight.pipeline.evaluation.uncertainty.resampling import resample_rankings
from raresight.pipeline.evaluation.uncertainty.row_bootstrap import (
    _draw,
    _poisson_table,
    _rate,
    resample_quality,
)


def draws(size: int, repeats: int) -> np.ndarray:
    """How often each row is drawn, (repeats, size)."""
    table, bounds = _poisson_table(_rate(size))
    rows, state = np.arange(size, dtype=np.uint32), np.uint64(7)
    found = np.zeros((repeats, size), np.uint8)
    for times in found:
        state = _draw(times, rows, table, bounds, np.uint64(state))
    return found.astype(int)


@pytest.mark.parametrize("size", [1, 3, 200])
def test_draws_are_those_of_rows_with_replacement(size):
    found = draws(size, 60_000 // size)
    assert (found.sum(axis=1) == size).all()
    counts = np.bincount(found.ravel(), minlength=6)
    expected = binom.pmf(np.arange(len(counts)), size, 1 / size) * found.size
    few = expected < 10
    observed = np.append(counts[~few], counts[few].sum())
    expected = np.append(expected[~few], found.size - expected[~few].sum())
    kept = expected > 1e-6
    # Counts of one draw are not independent, which makes the statistic smaller, not larger.
    if kept.sum() > 1:
        assert chisquare(observed[kept], expected[kept]).pvalue > 1e-3
    if size == 3:
        assert np.cov(found.T)[0, 1] == pytest.approx(-1 / 3, abs=0.03)


def example(rows: int = 400):
    rng = np.random.default_rng(0)
    targets = np.arange(rows) % 4 % 3  # one class twice as frequent
    scores = np.round(rng.random((rows, 3)) + 0.4 * np.eye(3)[targets], 2)
    return targets, [rank(scores[:, k], targets == k) for k in range(3)], scores


def test_values_lie_and_spread_as_those_of_the_bootstrap_in_numpy():
    targets, rankings, _ = example()
    rng = np.random.default_rng(1)
    fast = resample_quality(rankings, targets, resamples=4000, rng=rng)
    columns = [RANKED.index(name) for name in COMPILED]
    slow = resample_rankings(rankings, targets, ranking_quality, resamples=4000, rng=rng)
    slow = slow[..., columns]
    assert fast.shape == slow.shape == (4000, 3, 2)
    sd = slow.std(axis=0)
    # Four standard errors: of a mean sd / sqrt(4000), of a deviation sd / sqrt(8000), twice each.
    np.testing.assert_allclose(fast.mean(axis=0) / sd, slow.mean(axis=0) / sd, atol=0.09)
    np.testing.assert_allclose(fast.std(axis=0) / sd, 1, atol=0.065)
    # The classes share their draws: what binds them in a macro average is kept.
    pair = [np.corrcoef(values[:, 0, 0], values[:, 1, 0])[0, 1] for values in (fast, slow)]
    assert pair[0] == pytest.approx(pair[1], abs=0.09)


def test_a_resample_of_one_row_a_class_is_the_set_itself():
    scores = np.array([0.9, 0.2, 0.4])
    ranking = rank(scores, np.array([True, False, False]))
    drawn = resample_quality(
        [ranking], np.array([2, 0, 1]), resamples=5, rng=np.random.default_rng(0)
    )
    expected = (1.0, sk.average_precision_score([1, 0, 0], scores))
    assert (drawn == expected).all()


def test_a_class_without_rows_is_undefined():
    ranking = rank(np.array([0.9, 0.2]), np.array([False, False]))
    drawn = resample_quality([ranking], np.zeros(2, int), resamples=3, rng=np.random.default_rng(0))
    assert np.isnan(drawn).all()


def test_the_same_stream_gives_the_same_values():
    targets, rankings, _ = example(60)
    first, again = (
        resample_quality(rankings, targets, resamples=9, rng=np.random.default_rng(2))
        for _ in range(2)
    )
    assert (first == again).all()
    assert len(np.unique(first[:, 0, 0])) > 5
