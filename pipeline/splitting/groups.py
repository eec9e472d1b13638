"""Groups of images that stay together, such as those of a patient, and the split of each."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raresight.pipeline.core import seeds

ALONE = ""


def named_groups(groups: pa.ChunkedArray, source_ids: pa.ChunkedArray) -> np.ndarray:
    """The group of each image, str (n,); ALONE where that is its own source and nobody else's.

    ``groups`` and ``source_ids`` are columns of n strings: what each image belongs to, and the
    original that it was made from.
    """
    named = groups.filter(pc.not_equal(groups, source_ids)).unique()
    if not len(named):  # nothing is made of a million strings where none is needed
        return np.full(len(groups), ALONE)
    found: np.ndarray = pc.if_else(pc.is_in(groups, value_set=named), groups, ALONE).to_numpy()
    return found.astype(str)


def split_of_group(name: str, *, ratios: Mapping[str, float], seed: int) -> str:
    """The split of a group, drawn with the ratios by its name and the seed alone.

    So no group moves when images or other groups come or go, and the ratios hold on average.
    """
    point = seeds.rng(seed, "split group", name).random()
    for split, share in ratios.items():
        point -= share
        if point < 0:
            return split
    return split  # the ratios sum to 1 but for a rounding error
