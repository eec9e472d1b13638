"""In which order and batches an epoch shows its images: pure functions of seed and epoch."""

import numpy as np

from raresight.pipeline.core import seeds


def epoch_order(
    targets: np.ndarray, class_counts: np.ndarray, *, seed: int, epoch: int
) -> np.ndarray:
    """The sample indices of one epoch, shuffled: ``class_counts[k]`` of class k.

    A class that is shown more often than it has images is shown in whole rounds and a random part
    of one more; a class that is shown less often, in another random part each epoch.
    """
    rng = seeds.rng(seed, "order", epoch)
    chosen = []
    for label, count in enumerate(class_counts):
        members = np.flatnonzero(targets == label)
        if count and not len(members):
            raise ValueError(f"class {label} has no images, but {count} are to be shown")
        rounds, rest = divmod(int(count), len(members)) if count else (0, 0)
        chosen += [members] * rounds + [rng.permutation(members)[:rest]]
    return rng.permutation(np.concatenate(chosen))


def steps_of(images: int, batch_size: int) -> int:
    """How many batches an epoch of so many images has.

    A last batch of a single image joins the one before it: batch norm cannot tell its variance.
    """
    whole, rest = divmod(images, batch_size)
    return max(1, whole + (rest > 1))


def batches_of(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """An epoch's order (n,) in its :func:`steps_of` batches."""
    starts = range(batch_size, steps_of(len(order), batch_size) * batch_size, batch_size)
    return np.split(order, starts)
