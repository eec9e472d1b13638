"""The bootstrap of ROC-AUC and average precision row by row, compiled: exact for any ranking.

For several rankings of the same rows (a macro average), and for one with too many levels to draw by
level when it must not be binned.
"""

import math
from collections.abc import Sequence

import numpy as np
from numba import int64, njit, uint64

from raresight.pipeline.evaluation.metrics.ranking import Ranking

POSITIVE, LAST = 1, 2
_UNSURE = 255  # a cell of the table in which the count depends on the lower bits


def resample_quality(
    rankings: Sequence[Ranking],
    strata: np.ndarray,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Bootstrap ROC-AUC and average precision, (R, rankings, 2); NaN where they are undefined.

    ``strata`` is int (n,): rows are drawn with replacement within each stratum (the actual class),
    the same draw for every ranking.
    """
    first = np.argsort(rankings[0].level, kind="stable")  # rows in its order: read one by one
    strata = strata[first]
    rows = np.argsort(strata, kind="stable").astype(np.uint32)
    sizes = np.unique(strata, return_counts=True)[1]
    starts = np.cumsum(sizes) - sizes
    by_size = {size: _poisson_table(_rate(size)) for size in np.unique(sizes).tolist()}
    tables = [by_size[size] for size in sizes.tolist()]
    table, thresholds = (np.stack(parts) for parts in zip(*tables, strict=True))
    seeds = rng.integers(0, 2**64, size=resamples, dtype=np.uint64)
    orders, kinds = _in_order(rankings, first)
    out = np.empty((resamples, len(rankings), 2))
    _resample(rows, starts, sizes, table, thresholds, seeds, orders, kinds, out)
    return out


def _in_order(rankings: Sequence[Ranking], first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each ranking's rows from its best, and what each is: POSITIVE, LAST of its level, or both."""
    orders, kinds = [], []
    for ranking in rankings:
        level = ranking.level[first]
        order = np.argsort(level, kind="stable")
        last = np.diff(level[order], append=ranking.num_levels) != 0
        orders.append(order.astype(np.uint32))
        kinds.append((POSITIVE * ranking.positive[first][order] + LAST * last).astype(np.uint8))
    return np.stack(orders), np.stack(kinds)


def _rate(size: int) -> float:
    """Draws a row at first: so few that hardly ever more come out than there are rows."""
    return max(0.0, 1 - 5 / math.sqrt(size))


def _poisson_table(rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Poisson counts by the upper 16 of 32 random bits, and the 32-bit bounds between counts."""
    steps, total, term = [], 0.0, math.exp(-rate)
    for count in range(16):
        total += term
        steps.append(total)
        term *= rate / (count + 1)
    bounds = np.minimum(np.array(steps) * 2.0**32, 2.0**32 - 1).astype(np.uint64)
    cells = np.arange(2**16, dtype=np.uint64) << np.uint64(16)
    lowest = np.searchsorted(bounds, cells, side="right")
    highest = np.searchsorted(bounds, cells + np.uint64(2**16 - 1), side="right")
    return np.where(lowest == highest, lowest, _UNSURE).astype(np.uint8), bounds


@njit(cache=True)
def _mix(state: np.uint64) -> np.uint64:
    """Splitmix64's output function: 64 random bits of a counter."""
    z = (state ^ (state >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
    return z ^ (z >> uint64(31))


@njit(cache=True)
def _draw(
    times: np.ndarray,
    rows: np.ndarray,
    table: np.ndarray,
    bounds: np.ndarray,
    state: np.uint64,
) -> np.uint64:
    """Count how often each of ``rows`` is drawn into ``times``; as many draws as there are rows.

    Poisson counts, given their sum, are those of drawing that often with replacement; the few draws
    that are missing are made one by one. A sum that is too large is thrown again.
    """
    size = len(rows)
    step = uint64(0x9E3779B97F4A7C15)
    while True:
        total = 0
        for place in range(size):
            state += step
            bits = _mix(state) >> uint64(32)
            count = table[bits >> uint64(16)]
            if count == _UNSURE:
                count = 0
                while count < 16 and bits >= bounds[count]:
                    count += 1
            times[rows[place]] = count
            total += count
        if total <= size:
            break
    for _ in range(size - total):
        state += step
        chosen = ((_mix(state) >> uint64(32)) * uint64(size)) >> uint64(32)
        times[rows[chosen]] += 1
    return state


@njit(cache=True)
def _quality(times: np.ndarray, order: np.ndarray, kind: np.ndarray, out: np.ndarray) -> None:
    """ROC-AUC and average precision of rows that count ``times`` times, into ``out`` (2,)."""
    true, false, new_true, new_false = 0, 0, 0, 0
    area, precision = 0.0, 0.0
    for place in range(len(order)):
        count = int64(times[order[place]])
        found = count * (kind[place] & POSITIVE)
        new_true += found
        new_false += count - found
        if kind[place] & LAST:
            area += new_false * (true + 0.5 * new_true)
            true += new_true
            false += new_false
            if new_true:
                precision += new_true * (true / (true + false))
            new_true, new_false = 0, 0
    out[0] = area / (float(true) * false) if true and false else np.nan
    out[1] = precision / true if true else np.nan


@njit(cache=True)
def _resample(
    rows: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    table: np.ndarray,
    bounds: np.ndarray,
    seeds: np.ndarray,
    orders: np.ndarray,
    kinds: np.ndarray,
    out: np.ndarray,
) -> None:
    times = np.zeros(len(rows), np.uint8)
    for resample in range(len(seeds)):
        state: np.uint64 = seeds[resample]
        for k in range(len(starts)):
            stratum = rows[starts[k] : starts[k] + sizes[k]]
            state = _draw(times, stratum, table[k], bounds[k], state)
        for k in range(len(orders)):
            _quality(times, orders[k], kinds[k], out[resample, k])
