"""In which order and batches an epoch shows its images: pure functions of seed and epoch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.training.data.rounding import whole
from raresight.pipeline.training.data.windows import Windows, in_windows


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where the images come from, int (n,) into ``shares``, (S,): the part of an epoch of each."""

    of_images: np.ndarray
    shares: np.ndarray


def shares_of(names: np.ndarray, weights: Mapping[str, float]) -> Sources:
    """Those of images of the sources ``names``, str (n,), by ``weights``, which sum to 1 at most.

    Sources without a weight share what is left by their images.
    """
    found, of_images, images = np.unique(names, return_inverse=True, return_counts=True)
    known = np.array([weights.get(name, 0.0) for name in found.tolist()])
    free = np.array([name not in weights for name in found.tolist()])
    left = images * free / max(1, (images * free).sum()) * (1 - known.sum())
    return Sources(of_images=of_images, shares=known + left)


def epoch_order(
    targets: np.ndarray,
    class_counts: np.ndarray,
    *,
    seed: int,
    epoch: int,
    sources: Sources | None = None,
    windows: Windows | None = None,
) -> np.ndarray:
    """The sample indices of one epoch, shuffled: ``class_counts[k]`` of class k.

    A class that is shown more often than it has images is shown in whole rounds and a random part
    of one more; a class that is shown less often, in another random part each epoch. With
    ``sources`` the images of each class are theirs by their shares, of those that have the class.

    With ``windows`` they come from some blocks at a time: another order of the same images.
    """
    rng = seeds.rng(seed, "order", epoch)
    passes = []
    for label, count in enumerate(class_counts):
        members = np.flatnonzero(targets == label)
        if count and not len(members):
            raise ValueError(f"class {label} has no images, but {count} are to be shown")
        for part, wanted in _parts(members, int(count), sources):
            rounds, rest = divmod(wanted, len(part)) if wanted else (0, 0)
            passes.append([part] * rounds + [rng.permutation(part)[:rest]])
    if windows is not None:
        return in_windows(passes, windows, rng)
    return rng.permutation(np.concatenate([one for kind in passes for one in kind]))


def _parts(
    members: np.ndarray, count: int, sources: Sources | None
) -> Iterator[tuple[np.ndarray, int]]:
    """The images of a class by their source, and how many of each are to be shown."""
    if sources is None or not count:
        yield members, count
        return
    own = sources.of_images[members]
    present: Sequence[int] = np.unique(own).tolist()
    shares = sources.shares[present]
    if not shares.sum():  # all of these are to be left out, and a class is not
        shares = np.bincount(own)[present].astype(float)
    for source, wanted in zip(present, whole(shares / shares.sum() * count, count), strict=True):
        yield members[own == source], int(wanted)


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
