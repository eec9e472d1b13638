"""How many images of each class are in each split."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

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
