"""The bootstrap, for whatever has no interval in closed form: whole groups, within their class.

Everything that is resampled is resampled here. Nothing is sorted again: a resample is another count
at each level of a ranking. Where each row is of its own group, drawing a class's rows and counting
them by level is one multinomial draw; a rare class has few levels (two a positive at most), so this
is exact and cheap where it matters, and a ranking with more is cut into :data:`BINS` first. Several
rankings of the same rows are drawn row by row, compiled
(:mod:`raresight.pipeline.evaluation.uncertainty.row_bootstrap`).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from raresight.pipeline.evaluation.metrics.confusion import Margins
from raresight.pipeline.evaluation.metrics.ranking import Ranking
from raresight.pipeline.evaluation.uncertainty.effective import has_groups

BINS = 1024
_CHUNK = 2**18  # levels drawn at a time: the working set stays in the processor's cache
_WEIGHTS = 2**21  # weights of rows held at a time

Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]


def row_weights(
    groups: np.ndarray | None, targets: np.ndarray, *, resamples: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """How often each row occurs in each resample: float32 (C, n), chunk by chunk, R rows in all.

    ``groups`` is int (n,) from 0 up without a gap, equal for rows of one group, which are drawn
    together: they say less than as many strangers (None: each row is of its own). ``targets`` is
    int (n,), the actual class; groups are drawn with replacement among those that hold the same
    classes.
    """
    groups = np.arange(len(targets)) if groups is None else groups
    strata = _strata(groups, targets)
    for count in _chunks(resamples, len(targets), _WEIGHTS):
        drawn = np.empty((count, len(strata)), np.float32)
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            drawn[:, members] = _multiplicities(len(members), count, rng)
        yield drawn[:, groups]


def by_appearance(groups: np.ndarray) -> np.ndarray:
    """The same groups, int (n,), numbered from 0 in the order in which they first occur."""
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]


def weighted_counts(cells: np.ndarray, weights: np.ndarray, num_cells: int) -> np.ndarray:
    """The weight (C, num_cells) that falls in each cell.

    ``cells`` is int (n,), or (C, n) where each resample has its own; ``weights`` is (C, n).
    """
    count = len(weights)
    places = cells + np.arange(0, count * num_cells, num_cells)[:, None]
    flat = np.bincount(places.ravel(), weights=weights.ravel(), minlength=count * num_cells)
    return flat.reshape(count, num_cells)


def smooth_confusion(
    counts: np.ndarray,
    *,
    resamples: int,
    rng: np.random.Generator,
    effective: np.ndarray | None = None,
) -> np.ndarray:
    """Plausible confusion counts (R, K, K), float: each class's answers from a Dirichlet posterior.

    The prior is worth two answers in all, spread evenly (for two classes it is Jeffreys'); with one
    a class, ten classes would seem to have nine mistakes more. Unlike resampled counts these never
    say that what did not happen cannot happen: at 10 positives the interval of F1 covers 94 % of
    the time instead of 91 %, and a perfect result keeps a width. ``effective`` (K,) are the
    independent images that each class's are worth, where some belong together.
    """
    size = counts.shape[-1]
    totals = counts.sum(axis=-1, keepdims=True)
    known = counts
    if effective is not None:
        known = counts * (effective[:, None] / np.maximum(totals, 1))
    drawn = rng.standard_gamma(known + 2 / size**2, size=(resamples, size, size))
    return np.asarray(drawn / drawn.sum(axis=-1, keepdims=True) * totals)


def smooth_margins(
    counts: np.ndarray,
    *,
    resamples: int,
    rng: np.random.Generator,
    effective: np.ndarray,
) -> Margins:
    """The margins of what :func:`smooth_confusion` gives, (R, K) each, for many classes.

    Only the cells that hold answers are drawn one by one. What the prior gives to the others of a
    row is drawn in one and goes to one class at random: of a thousand classes it is 0.002 answers.
    """
    size, totals = len(counts), counts.sum(axis=-1)
    rows, columns = np.nonzero(counts)
    prior, worth = 2 / size**2, effective / np.maximum(totals, 1)
    drawn = rng.standard_gamma(
        counts[rows, columns] * worth[rows] + prior, size=(resamples, len(rows))
    )
    empty = size - np.bincount(rows, minlength=size)
    rest = rng.standard_gamma(prior * empty, size=(resamples, size))
    place = rng.integers(0, size, (resamples, size))
    sums = rest + _sums(drawn, rows, size)
    # A row without any answer has no images either.
    scale = totals / np.where(sums > 0, sums, 1)
    drawn *= scale[:, rows]
    rest *= scale
    predicted = _sums(drawn, columns, size) + weighted_counts(place, rest, size)
    diagonal = rows == columns
    right = np.where(place == np.arange(size), rest, 0)
    right[:, rows[diagonal]] += drawn[:, diagonal]
    actual = np.broadcast_to(totals.astype(float), right.shape)
    return Margins(right=right, actual=actual, predicted=predicted)


def _sums(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """The sums (R, size) of the columns of ``values`` (R, n) by ``places`` (n,)."""
    order = np.argsort(places, kind="stable")
    some, starts = np.unique(places[order], return_index=True)
    found = np.zeros((len(values), size))
    found[:, some] = np.add.reduceat(values[:, order], starts, axis=1)
    return found


def resample_cells(
    cells: np.ndarray,
    targets: np.ndarray,
    groups: np.ndarray | None,
    *,
    num_cells: int,
    resamples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """How many rows fall in each cell, (R, num_cells), when whole groups are drawn.

    ``cells``, ``targets`` and ``groups`` are int (n,); see :func:`row_weights`.
    """
    draws = row_weights(groups, targets, resamples=resamples, rng=rng)
    return np.concatenate([weighted_counts(cells, weights, num_cells) for weights in draws])


def resample_rankings(
    rankings: Sequence[Ranking],
    targets: np.ndarray,
    statistic: Statistic,
    *,
    resamples: int,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Bootstrap ``statistic(positives, negatives)`` of several rankings of the same rows.

    ``targets`` is int (n,): rows are drawn with replacement within each actual class, the same draw
    for every ranking; with ``groups``, int (n,), whole groups are (see :func:`row_weights`).
    ``statistic`` takes counts (C, levels) and returns (C, ...). Returns (R, rankings, ...).

    A single ranking of more than BINS levels is binned: its values then lie around those of the
    binned ranking, and are moved by its difference to the whole one.
    """
    if has_groups(groups) or len(rankings) > 1:
        return _by_rows(
            rankings, row_weights(groups, targets, resamples=resamples, rng=rng), statistic
        )
    ranking = rankings[0]
    coarse = ranking.binned(BINS)
    values = np.concatenate(
        [statistic(*both) for both in _by_level(coarse, targets, resamples, rng)]
    )
    if coarse is not ranking:
        values += statistic(*ranking.counts()) - statistic(*coarse.counts())
    return values[:, None]


def _by_level(
    ranking: Ranking, strata: np.ndarray, resamples: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positives and negatives at each level, (C, levels) each; R resamples in all."""
    cells = ranking.level + ranking.num_levels * ranking.positive
    tables = [
        np.bincount(cells[strata == stratum], minlength=2 * ranking.num_levels)
        for stratum in np.unique(strata)
    ]
    for count in _chunks(resamples, ranking.num_levels, _CHUNK):
        drawn = np.zeros((count, 2 * ranking.num_levels), np.int64)
        for table in tables:
            some = np.flatnonzero(table)
            size = table.sum()
            drawn[:, some] += rng.multinomial(size, table[some] / size, size=count)
        yield drawn[:, ranking.num_levels :], drawn[:, : ranking.num_levels]


def _by_rows(
    rankings: Sequence[Ranking], draws: Iterator[np.ndarray], statistic: Statistic
) -> np.ndarray:
    """The statistic of every ranking for the weights (C, n) of each chunk of resamples."""
    values = []
    for weights in draws:
        of_chunk = []
        for ranking in rankings:
            cells = ranking.level + ranking.num_levels * ranking.positive
            counts = weighted_counts(cells, weights, 2 * ranking.num_levels)
            of_chunk.append(
                statistic(counts[:, ranking.num_levels :], counts[:, : ranking.num_levels])
            )
        values.append(np.stack(of_chunk, axis=1))
    return np.concatenate(values)


def _strata(groups: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The stratum of each group, int (S,): groups that hold the same classes share one."""
    holds = np.zeros((groups.max(initial=-1) + 1, targets.max(initial=-1) + 1), bool)
    holds[groups, targets] = True
    return np.unique(holds, axis=0, return_inverse=True)[1].ravel()


def _multiplicities(size: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of ``size`` things occurs in ``size`` draws, (count, size)."""
    drawn = rng.integers(0, size, (count, size))
    drawn += np.arange(0, count * size, size)[:, None]
    return np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size)


def _chunks(resamples: int, size: int, most: int) -> Iterator[int]:
    chunk = max(1, most // max(size, 1))
    for done in range(0, resamples, chunk):
        yield min(chunk, resamples - done)
