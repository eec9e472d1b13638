"""The difference of two shares of the same images: one before, one after something was done."""

import math

import numpy as np

from raresight.pipeline.evaluation.uncertainty.intervals import Interval


def paired_difference(
    before: np.ndarray, after: np.ndarray, groups: np.ndarray, *, confidence: float
) -> Interval | None:
    """The interval of ``after.mean() - before.mean()``; None with fewer than two groups.

    ``before`` and ``after`` are bool (n,), ``groups`` int (n,). Bonett and Price's adjusted Wald
    interval (2012, https://doi.org/10.1002/sim.4321), which keeps a width where no image changed:
    one image more is counted as changed in each direction. Images count as many as would vary as
    much if each were of its own group, and Student's t, as that is known from the groups alone.
    """
    from scipy.stats import t

    changes = after.astype(float) - before.astype(float)
    sizes = np.bincount(groups)
    number, occupied = len(changes), int((sizes > 0).sum())
    if occupied < 2:
        return None
    worth = 1 / _design_effect(changes, groups, occupied)
    gained, lost = (worth * float((changes == sign).sum()) for sign in (1, -1))
    total = worth * number + 2
    up, down = (gained + 1) / total, (lost + 1) / total
    half = float(t.ppf((1 + confidence) / 2, occupied - 1))
    half *= math.sqrt((up + down - (up - down) ** 2) / total)
    # The adjustment pulls towards no change: the interval is made to hold what was seen.
    observed = float(changes.mean())
    return max(-1.0, min(up - down - half, observed)), min(1.0, max(up - down + half, observed))


def _design_effect(changes: np.ndarray, groups: np.ndarray, occupied: int) -> float:
    """How many times the variance of a mean of independent images its variance is, at least 1.

    From the sums of the groups (Kish 1965); where nothing changed, as if a group were one image.
    """
    away = changes - changes.mean()
    alone = float((away**2).sum())
    if alone == 0:
        return len(changes) / occupied
    sums = np.bincount(groups, away)
    return max(1.0, float((sums**2).sum()) / alone)
