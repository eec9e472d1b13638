"""The interval of the difference of two shares of the same images."""

import numpy as np
import pytest

from raresight.pipeline.evaluation.uncertainty.paired import paired_difference


def pairs(gained: int, lost: int, same: int) -> tuple[np.ndarray, np.ndarray]:
    before = np.repeat([False, True, False], [gained, lost, same])
    return before, np.repeat([True, False, False], [gained, lost, same])


def test_many_images_give_the_normal_interval_of_paired_shares():
    """Fleiss, Statistical Methods for Rates and Proportions: sqrt(b + c - (b - c)^2 / n) / n."""
    gained, lost, number = 3000, 2000, 100_000
    interval = paired_difference(
        *pairs(gained, lost, number - gained - lost), np.arange(number), confidence=0.95
    )
    middle, half = (gained - lost) / number, 1.96 * np.sqrt(5000 - 1000**2 / number) / number
    assert interval == pytest.approx((middle - half, middle + half), abs=2e-5)


def test_bonett_and_price_by_hand():
    """f12 = 4, f21 = 1 of 30: (5 - 2) / 32 and the t quantile at 29 degrees of freedom."""
    interval = paired_difference(*pairs(4, 1, 25), np.arange(30), confidence=0.95)
    half = 2.0452296 * np.sqrt((7 / 32 - (3 / 32) ** 2) / 32)
    assert interval == pytest.approx((3 / 32 - half, 3 / 32 + half), abs=1e-6)


def test_a_group_counts_once_where_its_images_change_together():
    before, after = pairs(4, 1, 25)
    every = np.arange(30)
    alone = paired_difference(before, after, every, confidence=0.9)
    twice = [np.repeat(one, 3) for one in (before, after)]
    thrice = paired_difference(*twice, np.repeat(every, 3), confidence=0.9)
    assert thrice == pytest.approx(alone)
    strangers = paired_difference(*twice, np.arange(90), confidence=0.9)
    assert strangers[1] - strangers[0] < 0.65 * (thrice[1] - thrice[0])


def test_nothing_changed_keeps_a_width_and_one_group_has_none():
    still = np.zeros(20, bool)
    low, high = paired_difference(still, still, np.arange(20), confidence=0.95)
    assert low < 0 < high
    assert paired_difference(still, still, np.zeros(20, int), confidence=0.95) is None
    assert paired_difference(still[:0], still[:0], np.arange(0), confidence=0.95) is None


@pytest.mark.parametrize(("groups", "size"), [(60, 1), (20, 4), (10, 4)])
def test_coverage(groups, size):
    """Images of a group share a tendency; the true difference is 0.15 - 0.05."""
    rng, sets = np.random.default_rng(0), 1500
    numbers = np.repeat(np.arange(groups), size)
    covered = 0
    for _ in range(sets):
        own = rng.random(groups)[numbers] if size > 1 else rng.random(groups)
        draw = np.where(rng.random(len(numbers)) < 0.5, own, rng.random(len(numbers)))
        before, after = (draw >= 0.15) & (draw < 0.2), draw < 0.15
        low, high = paired_difference(before, after, numbers, confidence=0.95)
        covered += low <= 0.1 <= high
    assert covered / sets >= 0.93
