"""Groups of images that stay together, such as those of a patient, and the split of each."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raresight.pipeline.core import seeds

ALONE = ""


def named_groups(
    groups: pa.ChunkedArray, source_ids: pa.ChunkedArray, real: np.ndarray
) -> np.ndarray:
    """The group of each image, str (n,); ALONE for a drawn one that nobody else belongs with.

    ``groups`` and ``source_ids`` are columns of n strings: what each image belongs to, and the
    original that it was made from. A ``real`` image, bool (n,), always has a group, if of its own:
    files come in no order that only grows at its end.
    """
    named = groups.filter(pc.not_equal(groups, source_ids)).unique()
    if not len(named) and not real.any():  # nothing is made of a million strings for nothing
        return np.full(len(groups), ALONE)
    kept = pc.or_(pc.is_in(groups, value_set=named), pa.array(real))
    found: np.ndarray = pc.if_else(kept, groups, ALONE).to_numpy()
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
