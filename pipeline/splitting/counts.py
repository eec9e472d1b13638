"""How many images and groups of each class are in each split."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raresight.pipeline.splitting.table import SPLITS, UNUSED

Counts = Mapping[str, Mapping[str, Mapping[str, int]]]


def count_images(
    classes: Sequence[str],
    *,
    originals: tuple[np.ndarray, np.ndarray],
    copies: tuple[np.ndarray, np.ndarray],
) -> Counts:
    """Images by split (``unused`` included), class, and whether they are originals or copies.

    ``originals`` and ``copies`` are splits and labels, str (n,) each.
    """
    found = {
        kind: Counter(zip(splits.tolist(), labels.tolist(), strict=True))
        for kind, (splits, labels) in (("originals", originals), ("copies", copies))
    }
    return {
        split: {
            label: {kind: counts[split, label] for kind, counts in found.items()}
            for label in classes
        }
        for split in (*SPLITS, UNUSED)
    }


def count_groups(
    classes: Sequence[str], splits: np.ndarray, targets: np.ndarray, groups: pa.ChunkedArray
) -> dict[str, Any]:
    """Groups of originals by split: in all, and those with an image of each class.

    ``splits`` is str (n,), ``targets`` the places in ``classes``, int (n,), and ``groups`` a column
    of n strings.
    """
    numbers = pc.index_in(groups, value_set=groups.unique()).to_numpy()
    found = {}
    for split in SPLITS:
        here = splits == split
        # A group and a class are one number, so that those that differ are counted at once.
        pairs = np.unique(numbers[here].astype(np.int64) * len(classes) + targets[here])
        counts = np.bincount(pairs % len(classes), minlength=len(classes)).tolist()
        found[split] = {
            "total": len(np.unique(pairs // len(classes))),
            "by_class": dict(zip(classes, counts, strict=True)),
        }
    return found
