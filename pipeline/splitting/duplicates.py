"""Images with the same pixels, which must not lie in different splits."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np


def digests(images, rows: Sequence[int]) -> list[bytes]:
    """A digest of the pixels of each row."""
    return [hashlib.blake2b(np.ascontiguousarray(images[int(row)]), digest_size=16).digest() for row in rows]


def across(found: Sequence[bytes], splits: Sequence[str], ids: Sequence[str]) -> tuple[list[str], int]:
    """Sentences on equal images in different splits, and the number of equal ones within a split."""
    groups = defaultdict(list)
    for digest, split, name in zip(found, splits, ids, strict=True):
        groups[digest].append((split, name))
    twins = [group for group in groups.values() if len(group) > 1]
    apart = [group for group in twins if len({split for split, _ in group}) > 1]
    texts = [" = ".join(f"{name} ({split})" for split, name in group) for group in apart]
    within = sum(len(group) - 1 for group in twins) - sum(len(group) - 1 for group in apart)
    return texts, within
