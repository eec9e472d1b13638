"""Which images an epoch shows, in which order and batches: pure functions of params and seed."""

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.training.params import SamplerParams


def class_counts(
    available: np.ndarray, params: SamplerParams, *, epoch: int, epochs: int
) -> np.ndarray:
    """How many images of each class an epoch shows, int64 (K,); the same number in all.

    ``available`` (K,) are those there are. The share of class k is proportional to n_k for
    shuffled, 1 for balanced and sqrt(n_k) for square_root; progressive goes from the first to the
    second in even steps (Kang et al. 2020), the last epoch being balanced.
    """
    counts = np.asarray(available, np.int64)
    if params.max_per_class is not None:
        counts = np.minimum(counts, params.max_per_class)
    if params.name == "shuffled":
        return counts
    there = counts > 0
    natural, even = counts / counts.sum(), there / there.sum()
    if params.name == "square_root":
        shares = np.sqrt(counts) / np.sqrt(counts).sum()
    elif params.name == "progressive":
        done = epoch / max(1, epochs - 1)
        shares = (1 - done) * natural + done * even
    else:
        shares = even
    return _whole(shares * counts.sum(), total=int(counts.sum()))


def _whole(wanted: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers that sum to ``total``, each less than 1 from what is wanted."""
    floor = np.floor(wanted + 1e-9).astype(np.int64)
    order = np.argsort(floor - wanted, kind="stable")
    floor[order[: total - floor.sum()]] += 1
    return floor


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
