"""How many images and groups of each class are in each split."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

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
    classes: Sequence[str], splits: np.ndarray, labels: np.ndarray, groups: np.ndarray
) -> dict[str, Any]:
    """Groups of originals by split: in all, and those with an image of each class.

    ``splits``, ``labels`` and ``groups`` are str (n,).
    """
    table = pa.table({"split": splits, "label": labels, "group": groups})

    def counted(*keys: str) -> dict[tuple[str, ...], int]:
        found = table.group_by(list(keys)).aggregate([("group", "count_distinct")]).to_pylist()
        return {tuple(row[key] for key in keys): row["group_count_distinct"] for row in found}

    total, by_class = counted("split"), counted("split", "label")
    return {
        split: {
            "total": total.get((split,), 0),
            "by_class": {label: by_class.get((split, label), 0) for label in classes},
        }
        for split in SPLITS
    }
