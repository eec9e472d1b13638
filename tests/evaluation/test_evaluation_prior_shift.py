from statistics import NormalDist

import interval_settings
import numpy as np
import pytest

from raresight.pipeline.evaluation.prior_shift import (
    _wilson,
    calibrated,
    em_shares,
    estimate_shares,
)
from raresight.pipeline.evaluation.uncertainty.intervals import wilson

SETTINGS = interval_settings.settings()


def draw(rng, size, prevalence):
    """Labels, and scores (n, 2) that rank them well and are no probabilities."""
    targets = (rng.random(size) < prevalence).astype(int)
    score = 1 / (1 + np.exp(3 - 1.7 * (rng.normal(size=size) + 2.5 * targets)))
    return targets, np.stack([1 - score, score], axis=1)


def test_scores_that_tell_everything_are_counted():
    probabilities = np.repeat([[1.0, 0.0], [0.0, 1.0]], [30, 10], axis=0)
    assert em_shares(probabilities, np.array([0.9, 0.1])) == pytest.approx([0.75, 0.25])


def test_scores_that_tell_nothing_leave_the_shares_believed():
    prior = np.array([0.7, 0.2, 0.1])
    assert em_shares(np.tile(prior, (20, 1)), prior) == pytest.approx(prior)


def test_the_shares_are_the_most_likely_ones():
    rng = np.random.default_rng(0)
    probabilities, prior = rng.dirichlet([1, 1], 300), np.array([0.5, 0.5])
    found = em_shares(probabilities, prior)[1]

    def likelihood(share):
        return np.log(probabilities / prior @ np.array([1 - share, share])).sum()

    grid = np.linspace(0.001, 0.999, 999)
    assert found == pytest.approx(grid[np.argmax([likelihood(g) for g in grid])], abs=2e-3)


def test_calibrated_scores_average_to_the_shares_of_the_labels():
    targets, scores = draw(np.random.default_rng(1), 1000, 0.1)
    mean = calibrated(scores, targets)(scores)[:, 1].mean()
    assert mean == pytest.approx(targets.mean(), abs=1e-3)
    assert scores[:, 1].mean() > 1.5 * targets.mean()


@pytest.mark.parametrize("scale", [0.1, 0.3, 1.0])
def test_the_estimate_does_not_depend_on_how_far_scores_lie_apart(scale):
    """Ten labelled positives of 500: penalized raw logarithms made .39 to .82 of .3."""
    rng, found = np.random.default_rng(1), []
    for _ in range(20):
        sets = []
        for size, positives in ((500, 10), (400, 120)):
            targets = (np.arange(size) < positives).astype(int)
            logit = scale * (2.5 * (rng.normal(size=size) + 2.5 * targets) - 2.5**2 / 2)
            score = 1 / (1 + np.exp(-logit))
            sets.append((targets, np.stack([1 - score, score], axis=1)))
        (targets, labelled), (_, unlabelled) = sets
        probabilities = calibrated(labelled, targets)(unlabelled)
        found.append(em_shares(probabilities, np.array([0.98, 0.02]))[1])
    # One estimate has a deviation of .05, the mean of twenty .012.
    assert np.mean(found) == pytest.approx(0.3, abs=0.04)


def test_an_interval_of_a_share_is_that_of_as_many_images_as_would_spread_so():
    # 3 % of 200 images spread by the root of 0.03 * 0.97 / 200.
    spread = (0.03 * 0.97 / 200) ** 0.5
    assert _wilson(0.03, spread, 0.95) == pytest.approx(wilson(6, 200, confidence=0.95))
    low, high = _wilson(0.0, 0.002, 0.95)  # none was found, but resamples find some
    assert low == 0
    assert 0.004 < high < 0.012
    low, high = _wilson(1.0, 0.002, 0.95)
    assert 0.988 < low < 0.996
    assert high == 1
    assert _wilson(0.5, 0.0, 0.95) == (0.5, 0.5)


@pytest.mark.parametrize("spread", [0.5, 0.6, 0.9, 1.4])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_no_share_spreads_wider_than_a_half(share, spread):
    """A share of n images spreads by 0.5 / sqrt(n) at most: where resamples spread by a half or
    more they are worth one image or less, and the interval is Wilson's, written out."""
    trials, z = 0.25 / spread**2, NormalDist().inv_cdf(0.975)
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    width = z * (share * (1 - share) / trials + z**2 / (4 * trials**2)) ** 0.5 / (1 + z**2 / trials)
    low, high = _wilson(share, spread, 0.95)
    assert (low, high) == pytest.approx((middle - width, middle + width), abs=1e-12)
    assert 0 <= low + 1e-12 <= high <= 1 + 1e-12
    assert high - low > 0.79  # one image of no share has z^2 / (1 + z^2)


@pytest.mark.parametrize("prevalence", [0.3, 0.02])
def test_simulated_shares_are_found_within_their_intervals(prevalence):
    estimates, covered = [], 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        targets, scores = draw(rng, 800, 0.1)
        _, unlabelled = draw(rng, 2000, prevalence)
        value, (low, high) = estimate_shares(
            scores,
            targets,
            unlabelled,
            np.arange(2000),
            settings=SETTINGS,
            rng=rng,
        )
        estimates.append(value[1])
        covered += low[1] <= prevalence <= high[1]
    assert np.mean(estimates) == pytest.approx(prevalence, rel=0.25)
    assert covered >= 6
