"""Minimization: each new group goes where its classes are most missing, and none moves again.

As in clinical trials (Pocock and Simon, Biometrics 31, 1975), where patients come one by one and
each is assigned so that the arms stay alike in what matters; here that is the number of images of
each class.
"""

from collections.abc import Sequence

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.splitting.table import SPLITS

# Of two splits that miss a class alike: one that is learned from can at least be tested.
_FIRST = [SPLITS.index(name) for name in ("train", "test", "val")]


def balance(
    counts: np.ndarray,
    shares: np.ndarray,
    places: np.ndarray,
    *,
    names: Sequence[str],
    seed: int,
) -> np.ndarray:
    """The split of every group as a place in SPLITS, int (G,).

    ``counts``, int (G, K), are the images of each class in each group, ``shares``, float (G, S),
    the share of each split among the groups like it (0 where it may not go), and ``places``, int
    (G,), where those are that stay, -1 for the others. ``names`` and ``seed`` decide between groups
    and splits that are alike.
    """
    placed = places.copy()
    total = np.maximum(counts.sum(axis=0), 1)
    target = np.maximum(shares.T @ counts, 1e-9)  # (S, K)
    held = np.zeros(target.shape)
    has = counts > 0
    occupied = np.zeros(target.shape, bool)
    for split in range(len(SPLITS)):
        held[split] = counts[placed == split].sum(axis=0)
        occupied[split] = has[placed == split].any(axis=0)
    left = has[placed < 0].sum(axis=0)  # groups of each class that are still to be placed
    for group in _order(counts / total, placed < 0, names, seed):
        allowed = shares[group] > 0
        place = _place(
            counts[group], held, target, total, _open(allowed, occupied, left, group, has)
        )
        placed[group] = place
        held[place] += counts[group]
        occupied[place] |= has[group]
        left -= has[group]
    return placed


def _order(weights: np.ndarray, free: np.ndarray, names: Sequence[str], seed: int) -> list[int]:
    """The groups to place, those first that hold most of a class, equals in the seed's order."""
    rows = np.flatnonzero(free).tolist()
    chance = {row: seeds.integer(seed, "split group order", names[row]) for row in rows}
    most = np.round(weights.max(axis=1), 12) if len(weights) else weights
    return sorted(rows, key=lambda row: (-most[row], -weights[row].sum(), chance[row]))


def _open(
    allowed: np.ndarray, occupied: np.ndarray, left: np.ndarray, group: int, has: np.ndarray
) -> np.ndarray:
    """The splits among which a group may choose, bool (S,).

    A class with no more groups left than splits without it fills those before any other.
    """
    found = allowed
    classes = np.flatnonzero(has[group])
    for label in classes[np.argsort(left[classes], kind="stable")]:
        empty = found & ~occupied[:, label]
        if empty.any() and left[label] <= (allowed & ~occupied[:, label]).sum():
            found = empty
    return found


def _place(
    count: np.ndarray, held: np.ndarray, target: np.ndarray, total: np.ndarray, open_: np.ndarray
) -> int:
    """The open split in which ``count``, int (K,), lowers the imbalance most.

    The imbalance is the chi-square distance of what splits hold to what they should hold, each
    class by its share in all images, so that a rare one weighs as much as a common one.
    """
    change = (count * (2 * (held - target) + count) / target / total).sum(axis=1)
    change[~open_] = np.inf
    return min(_FIRST, key=lambda split: change[split])
