"""Training images that are there already: the same bytes, or what the split found to be alike."""

from pathlib import Path

import numpy as np

from raresight.pipeline.cleaning.findings import Found
from raresight.pipeline.core.csv_file import read_rows
from raresight.pipeline.core.inputs import understood
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.splitting.alike import FILE
from raresight.pipeline.splitting.duplicates import groups_of_equals

REPEATED, NEAR = "repeated", "near duplicate"


def repeats(images: Pixels, rows: np.ndarray) -> np.ndarray:
    """Every image of ``rows`` (n,) but the first of those with the same pixels, bool (n,)."""
    found = np.zeros(len(rows), bool)
    for places in groups_of_equals(images.digests(rows)):
        found[places[1:]] = True
    return found


def near_duplicates(splits: Path, ids: np.ndarray) -> Found:
    """The second of each pair that split found alike, where both are among ``ids`` str (n,).

    They are for a person to look at: two views of the same are no fault.
    """
    place = {id: row for row, id in enumerate(ids.tolist())}
    similar: dict[int, float] = {}
    if (splits / FILE).is_file():
        with understood(str(splits / FILE), "Run `raresight split` again."):
            for pair in read_rows(splits / FILE, stage="split"):
                first, second = place.get(pair["first_id"]), place.get(pair["second_id"])
                value = float(pair["similarity"])
                if first is not None and second is not None and value < 1:
                    similar[second] = max(value, similar.get(second, 0.0))
    rows = np.array(sorted(similar), np.int64)
    return Found(
        why=NEAR,
        rows=rows,
        scores=np.array([similar[row] for row in rows.tolist()]),
        decision="review",
        suggested=[""] * len(rows),
    )
