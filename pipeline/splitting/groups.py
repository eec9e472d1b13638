"""Groups of images that stay together, such as those of a patient, and the split of each."""

from collections.abc import Mapping

import numpy as np

from raresight.pipeline.core import seeds

ALONE = ""


def named_groups(groups: np.ndarray, source_ids: np.ndarray) -> np.ndarray:
    """The group of each image, str (n,); ALONE where that is its own source and nobody else's.

    ``groups`` and ``source_ids`` are str (n,): what each image belongs to, and the original that it
    was made from.
    """
    named = np.unique(groups[groups != source_ids])
    if not len(named):
        return np.full(len(groups), ALONE)
    return np.where(np.isin(groups, named), groups, ALONE)


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
