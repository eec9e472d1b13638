"""How far a number may be off: Wilson intervals for shares, a stratified bootstrap for the rest."""

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import NormalDist

import numpy as np

from pipeline.evaluation.estimates import Estimate
from pipeline.evaluation.ranking import Ranking

_CHUNK = 2**18  # rows drawn at a time: the working set stays in the processor's cache


def wilson(successes: float, trials: float, *, confidence: float) -> tuple[float, float] | None:
    """Wilson's score interval of a proportion; None without trials.

    Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953. It stays inside [0, 1], has a
    width where every trial succeeded, and keeps its coverage at ten trials, where the bootstrap
    drops to two thirds.
    """
    if trials == 0:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    half /= 1 + z * z / trials
    # At 0 and 1 the interval ends there exactly; the formula is off by a rounding error.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def trials_needed(share: float, *, width: float, confidence: float) -> int:
    """The least number of trials that makes Wilson's interval around ``share`` that narrow."""

    def wide(trials: int) -> bool:
        low, high = wilson(share * trials, trials, confidence=confidence)
        return high - low > width

    enough = 1
    while wide(enough):
        enough *= 2
    low = enough // 2
    while enough - low > 1:
        middle = (low + enough) // 2
        low, enough = (middle, enough) if wide(middle) else (low, middle)
    return enough


def percentile_estimate(value: float, resampled: np.ndarray, *, confidence: float) -> Estimate:
    """``value`` with the middle ``confidence`` of its ``resampled`` values (R,) as interval.

    Undefined (NaN) resamples are left out as long as they are fewer than the interval itself leaves
    out. Resamples that all agree tell of a set too small or too easy, not of a certain number, and
    give no interval.
    """
    tail = 1 - confidence
    undefined = np.isnan(resampled)
    if undefined.mean() > tail:
        return Estimate(value=value, reason="no interval: undefined in too many resamples")
    low, high = np.quantile(resampled[~undefined], [tail / 2, 1 - tail / 2])
    if low == high:
        return Estimate(value=value, reason="no interval: too few errors, all resamples agree")
    return Estimate(value=value, low=float(low), high=float(high))


def resample_confusion(
    counts: np.ndarray, *, resamples: int, rng: np.random.Generator
) -> np.ndarray:
    """Bootstrap confusion counts (R, K, K), stratified by the actual class.

    Drawing a class's rows with replacement and counting the answers is one multinomial draw.
    """
    totals = counts.sum(axis=-1)
    shares = counts / np.maximum(totals, 1)[:, None]
    rows = [
        rng.multinomial(total, share if total else np.eye(len(share))[0], size=resamples)
        for total, share in zip(totals, shares, strict=True)
    ]
    return np.stack(rows, axis=1)


Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]


def resample_rankings(
    rankings: Sequence[Ranking],
    strata: np.ndarray,
    statistic: Statistic,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Bootstrap ``statistic(positives, negatives)`` of several rankings of the same rows.

    ``strata`` is int (n,): rows are drawn with replacement within each stratum (the actual class),
    the same draw for every ranking. ``statistic`` takes counts (C, levels) and returns (C, ...).
    Returns (R, rankings, ...). Nothing is sorted again: a resample is a new count at each level.
    """
    order = np.argsort(strata, kind="stable")
    cells = [(r.level + r.num_levels * r.positive)[order] for r in rankings]
    sizes = np.unique(strata, return_counts=True)[1]
    drawn = []
    for rows in _draw(sizes, resamples, rng):
        tallies = (_tally(c, rows, r.num_levels) for c, r in zip(cells, rankings, strict=True))
        drawn.append(np.stack([statistic(both[:, 1], both[:, 0]) for both in tallies], axis=1))
    return np.concatenate(drawn)


def _draw(sizes: np.ndarray, resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Positions (C, n) of rows sorted by stratum, each drawn within its own; R rows in all."""
    starts = np.cumsum(sizes) - sizes
    chunk = max(1, _CHUNK // int(sizes.sum()))
    for done in range(0, resamples, chunk):
        count = min(chunk, resamples - done)
        parts = [
            rng.integers(start, start + size, (count, size), dtype=np.uint32)
            for start, size in zip(starts, sizes, strict=True)
        ]
        yield np.concatenate(parts, axis=1)


def _tally(cells: np.ndarray, rows: np.ndarray, num_levels: int) -> np.ndarray:
    """How many of ``rows`` (C, n) fall in each cell: (C, 2, levels), negatives then positives."""
    count, width = len(rows), 2 * num_levels
    found = cells.take(rows)
    found += np.arange(0, count * width, width)[:, None]
    return np.bincount(found.ravel(), minlength=count * width).reshape(count, 2, num_levels)
