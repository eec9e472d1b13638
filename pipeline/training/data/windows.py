"""An order that reads a set part by part, and shows the classes as any shuffle would.

Images are shuffled in two levels, blocks of neighbors and the images of some blocks at a time
(as Xu et al. 2022, CorgiPile), and each class by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BLOCK = 4 << 20  # bytes of pixels that lie together and are read together


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """In which block each image lies, int (n,) from 0 on, and how many blocks are a window."""

    blocks: np.ndarray
    size: int


def windows_of(shards: np.ndarray, places: np.ndarray, image_bytes: int, mebibytes: int) -> Windows:
    """Windows of so many MiB over blocks of :data:`BLOCK` bytes, each of one of the ``shards``.

    ``shards`` (n,) hold the images, of so many bytes each, at ``places`` (n,).
    """
    each = max(1, BLOCK // image_bytes)
    within = places // each
    most = int(within.max(initial=0)) + 1
    blocks: np.ndarray = np.unique(shards * most + within, return_inverse=True)[1]
    return Windows(blocks=blocks, size=max(1, (mebibytes << 20) // BLOCK))


def in_windows(
    passes: Sequence[Sequence[np.ndarray]],
    windows: Windows,
    rng: np.random.Generator,
) -> np.ndarray:
    """What ``passes`` name, int (n,), in an order that goes through some blocks at a time.

    ``passes[k]`` are the images of one kind (a class, of one source), a list for each time that
    they are gone through. The blocks are shuffled, and every pass goes through those that it has
    images in, in their order and shuffled within each window of so many: a rare class that lies in
    few blocks is shuffled as a whole. Neighbors look alike, and a window of all classes' blocks
    would show those of the rare one together.
    Which kind comes next is drawn as in a shuffle of the whole, so that a batch has the classes it
    would have there, however they lie on the disk: at any time each kind reads from one window.
    """
    blocks = windows.blocks
    turn = rng.permutation(int(blocks.max(initial=-1)) + 1)
    kinds = [
        np.concatenate([_gone_through(one, turn[blocks[one]], windows.size, rng) for one in kind])
        for kind in passes
    ]
    whose = rng.permutation(np.repeat(np.arange(len(kinds)), [len(kind) for kind in kinds]))
    order = np.empty(len(whose), np.int64)
    for number, kind in enumerate(kinds):
        order[whose == number] = kind
    return order


def _gone_through(
    images: np.ndarray, turns: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """``images`` (n,) by the ``turns`` of their blocks (n,), ``size`` blocks in random order."""
    window = np.unique(turns, return_inverse=True)[1] // size
    mixed = rng.permutation(len(images))
    return images[mixed[np.argsort(window[mixed], kind="stable")]]
