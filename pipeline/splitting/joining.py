"""What becomes of images that show the same: kept in one split, dropped, or left where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from raresight.pipeline.splitting.assignment import Images, groups
from raresight.pipeline.splitting.near_duplicates import Pair
from raresight.pipeline.splitting.table import SPLITS, UNUSED

_SHARE, _FEW = 0.05, 20  # of the images, or so many if that is more: the most that are joined


@dataclass
class _Joined:
    """Groups that are joined: how many images, the split that one of them has, if any, and the
    splits that the sources of all reach."""

    members: list[str]
    size: int
    fixed: str
    reach: frozenset[str]

    @property
    def name(self) -> str:
        return min(self.members)

    def take_in(self, other: "_Joined") -> None:
        self.members += other.members
        self.size += other.size
        self.fixed = self.fixed or other.fixed
        self.reach &= other.reach


@dataclass(frozen=True, kw_only=True)
class Together:
    """``images`` whose groups are joined, the ``ledger`` with them, and how many pairs could not
    be: their images are in different splits already, or are too many."""

    images: Images
    ledger: dict[str, str]
    apart: int


def keep_together(images: Images, pairs: Sequence[Pair], ledger: Mapping[str, str]) -> Together:
    """Join the groups of near duplicates; those that the ledger or a given split places never move.

    Pairs are taken from the most alike on. A group that is new follows one that is placed; two that
    are placed in different splits stay so. As chains of likeness could join everything, what is
    joined is at most a twentieth of the images, or 20.
    """
    most = max(_FEW, int(_SHARE * len(images.labels)))
    found = {
        one.name: _Joined(
            members=[one.name],
            size=len(one.rows),
            fixed=one.given[0] if one.given else ledger.get(one.name, ""),
            reach=frozenset(one.shares),
        )
        for one in groups(images)
    }
    apart = 0
    for pair in sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second)):
        one, other = (found[str(images.groups[row])] for row in (pair.first, pair.second))
        if one is other:
            continue
        if not _can_join(one, other, most):
            apart += 1
            continue
        one.take_in(other)
        found |= dict.fromkeys(other.members, one)
    names = {name: at.name for name, at in found.items()}
    placed = {at.name: at.fixed for at in found.values() if at.fixed}
    new = np.array([names.get(group, group) for group in images.groups.tolist()], dtype=str)
    return Together(images=replace(images, groups=new), ledger={**ledger, **placed}, apart=apart)


def _can_join(one: _Joined, other: _Joined, most: int) -> bool:
    fixed = {at.fixed for at in (one, other) if at.fixed}
    reach = one.reach & other.reach
    return len(fixed) < 2 and fixed <= reach and bool(reach) and one.size + other.size <= most


def drop_repeats(splits: np.ndarray, pairs: Sequence[Pair], kept: np.ndarray) -> np.ndarray:
    """The splits, str (n,), with one image of each pair across splits ``unused``.

    One that is new goes before one that is ``kept``, bool (n,): whether it was placed before. Of
    two alike goes the one that is learned from, and then that of validation: tests stay whole.
    """
    found = splits.astype(f"<U{len(UNUSED)}")
    for pair in sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second)):
        rows = (pair.first, pair.second)
        if UNUSED not in found[[*rows]] and found[rows[0]] != found[rows[1]]:
            loser = min(rows, key=lambda row: (bool(kept[row]), SPLITS.index(str(found[row]))))
            found[loser] = UNUSED
    return found


def across(splits: np.ndarray, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs whose images are both used, in different splits."""
    return [
        pair
        for pair in pairs
        if splits[pair.first] != splits[pair.second]
        and UNUSED not in (splits[pair.first], splits[pair.second])
    ]
