"""The band around a ranking's curves: how far off the false-positive rate at a recall may be."""

from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.metrics.ranking import Ranking
from raresight.pipeline.evaluation.uncertainty.effective import effective_proportion, has_groups
from raresight.pipeline.evaluation.uncertainty.intervals import wilson_bounds

BAND = np.linspace(0.01, 1, 100)  # recalls at which a curve has a band
_LEVELS_LOOKED_AT = 32  # of a ranking with groups, of which the worth is reckoned


@dataclass(frozen=True, kw_only=True)
class LevelRates:
    """The share of some rows at or above each level of a ranking, and its ends, (levels,) each.

    ``worth`` (levels,) says how many independent rows each share rests on.
    """

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    worth: np.ndarray


def level_rates(
    ranking: Ranking, kind: np.ndarray, groups: np.ndarray | None, *, confidence: float
) -> LevelRates | None:
    """Those of the rows ``kind``, bool (n,), by Wilson; None where all of them are of one group."""
    counts = np.bincount(ranking.level[kind], minlength=ranking.num_levels)
    total, above = float(counts.sum()), np.cumsum(counts).astype(float)
    worth = np.full(len(above), total)
    if groups is not None and has_groups(groups):
        last = len(above) - 1
        chosen = np.unique(np.linspace(0, last, _LEVELS_LOOKED_AT).round().astype(int))
        found = [effective_proportion(ranking.level <= level, kind, groups) for level in chosen]
        if any(one is None for one in found):
            return None
        worth = np.interp(np.arange(last + 1), chosen, [one[1] for one in found if one])
    low, high = wilson_bounds(above / total, worth, confidence=confidence)
    return LevelRates(share=above / total, low=low, high=high, worth=worth)


def false_positive_band(
    ranking: Ranking, groups: np.ndarray | None, *, confidence: float
) -> np.ndarray | None:
    """The ends (2, points) of the false-positive rate's interval at each recall of BAND.

    Both kinds are in the ranking. What is not known of the positives is the threshold that finds
    so many: it lies between those whose recall may be that by Wilson. What is not known of the
    negatives is the rate at a threshold, by Wilson. The distances to the ends add up in squares
    (MOVER; Zou and Donner 2008, https://doi.org/10.1002/sim.3095). None where all positives, or all
    negatives, are of one group.
    """
    found = level_rates(ranking, ranking.positive, groups, confidence=confidence)
    false = level_rates(ranking, ~ranking.positive, groups, confidence=confidence)
    if found is None or false is None:
        return None
    here = np.searchsorted(found.share, BAND - 1e-9)
    rate = false.share[here]
    # A threshold above all rows finds none, and may have this recall.
    none = wilson_bounds(np.zeros(1), found.worth[:1], confidence=confidence)[1]
    highest = np.maximum.accumulate(np.append(none, found.high))
    lowest = np.minimum.accumulate(found.low[::-1])[::-1]
    least = np.append(0.0, false.share)[np.searchsorted(highest, BAND)]
    after = np.searchsorted(lowest, BAND, side="right")  # the first level that finds too many
    most = np.where(after == len(lowest), 1.0, false.share[np.maximum(after - 1, 0)])
    low = rate - np.hypot(rate - least, rate - false.low[here])
    high = rate + np.hypot(np.maximum(most, rate) - rate, false.high[here] - rate)
    band: np.ndarray = np.clip(np.stack([low, high]), 0, 1)
    return band
