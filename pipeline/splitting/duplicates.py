"""Images with the same pixels: in different splits they would test what was learned by heart."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from raresight.pipeline.splitting.near_duplicates import Pair
from raresight.pipeline.splitting.table import Strings


def groups_of_equals(digests: np.ndarray) -> list[list[int]]:
    """The rows of images that are the same byte for byte, group by group; each has two or more.

    ``digests``, bytes "S32" (n,), are those of :meth:`raresight.pipeline.dataset.pixels.Pixels`.
    """
    words = np.ascontiguousarray(digests).view(np.uint64).reshape(len(digests), 4)
    order = np.lexsort(words.T)  # equal ones beside each other, in the order of their rows
    new = np.ones(len(order), bool)
    new[1:] = (words[order[1:]] != words[order[:-1]]).any(axis=1)
    starts = np.flatnonzero(new)
    lengths = np.diff(starts, append=len(order))
    several = zip(starts[lengths > 1].tolist(), lengths[lengths > 1].tolist(), strict=True)
    return sorted(order[start : start + length].tolist() for start, length in several)


def exact_pairs(groups: Iterable[Sequence[int]], among: np.ndarray) -> list[Pair]:
    """Each image of a group that is ``among``, bool (n,), with the first such one of it."""
    found = [[row for row in rows if among[row]] for rows in groups]
    return [Pair(first=rows[0], second=row, similarity=1.0) for rows in found for row in rows[1:]]


def keep_duplicates_together(
    splits: np.ndarray, ids: np.ndarray, source_ids: np.ndarray
) -> np.ndarray:
    """The splits, str (n,), with each original that repeats another where that other one is.

    It says so by its source's id, which is another's.
    """
    kept, again = splits.copy(), np.flatnonzero(source_ids != ids)
    if len(again):
        row_of = {id: row for row, id in enumerate(ids.tolist())}
        kept[again] = splits[[row_of[id] for id in source_ids[again].tolist()]]
    return kept


def leaks(groups: Sequence[Sequence[int]], splits: Strings, ids: Strings) -> list[str]:
    """The groups that lie in more than one split, each as ``id (split) = id (split)``."""
    return [
        " = ".join(f"{ids[row]} ({splits[row]})" for row in rows)
        for rows in groups
        if len({splits[row] for row in rows}) > 1
    ]


def repeats(groups: Sequence[Sequence[int]], splits: Strings) -> Counter[str]:
    """How many images of each split are there already under another id."""
    return Counter(split for rows in groups for split in [splits[row] for row in rows][1:])
