"""Resamples of a test set that both versions share: whole groups, within their class."""

from collections.abc import Iterator

import numpy as np

_CHUNK = 2**21  # weights held at a time


def row_weights(
    groups: np.ndarray, targets: np.ndarray, *, resamples: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """How often each row occurs in each resample: float32 (C, n), chunk by chunk, R rows in all.

    ``groups`` is int (n,) from 0 up without a gap, equal for rows of one source, which are drawn
    together: they say less than as many strangers. ``targets`` is int (n,), the actual class;
    groups are drawn with replacement among those that hold the same classes.
    """
    strata = _strata(groups, targets)
    chunk = max(1, _CHUNK // max(len(groups), 1))
    for done in range(0, resamples, chunk):
        count = min(chunk, resamples - done)
        drawn = np.empty((count, len(strata)), np.float32)
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            drawn[:, members] = _multiplicities(len(members), count, rng)
        yield drawn[:, groups]


def resampled_rows(
    groups: np.ndarray, targets: np.ndarray, *, resamples: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """The same resamples as row numbers, int (m,) each."""
    for weights in row_weights(groups, targets, resamples=resamples, rng=rng):
        for row in weights:
            yield np.repeat(np.arange(len(groups)), row.astype(np.int64))


def _strata(groups: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The stratum of each group, int (G,): groups that hold the same classes share one."""
    holds = np.zeros((groups.max(initial=-1) + 1, targets.max(initial=-1) + 1), bool)
    holds[groups, targets] = True
    return np.unique(holds, axis=0, return_inverse=True)[1].ravel()


def _multiplicities(size: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of ``size`` things occurs in ``size`` draws, (count, size)."""
    drawn = rng.integers(0, size, (count, size))
    drawn += np.arange(0, count * size, size)[:, None]
    return np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size)
