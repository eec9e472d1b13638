"""Permuted blocks: an assignment that keeps its ratios and never moves."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from raresight.pipeline.core import seeds

_LARGEST = 100


def block_counts(ratios: Mapping[str, float]) -> dict[str, int]:
    """How many places of a block each split has.

    The block is the smallest of at most 100 places that has the ratios exactly. Where none does it
    has 100, shared out by largest remainder.
    """
    for size in range(1, _LARGEST + 1):
        counts = {name: round(ratio * size) for name, ratio in ratios.items()}
        if all(abs(counts[name] - ratio * size) < 1e-9 for name, ratio in ratios.items()):
            return counts
    return _largest_remainder({name: Fraction(r) * _LARGEST for name, r in ratios.items()})


def _largest_remainder(shares: Mapping[str, Fraction]) -> dict[str, int]:
    counts = {name: int(share) for name, share in shares.items()}
    left = _LARGEST - sum(counts.values())
    for name in sorted(shares, key=lambda name: counts[name] - shares[name])[:left]:
        counts[name] += 1
    return counts


def assign(count: int, *, ratios: Mapping[str, float], seed: int, stream: str) -> np.ndarray:
    """The splits of the first ``count`` sources of a stream, str (count,).

    A stream is what keeps its order when it grows: one class of one source of images. Its k-th
    entry does not depend on ``count``, so adding images moves none, and every full block has the
    ratios.
    """
    places = block_counts(ratios)
    names = np.repeat(list(places), list(places.values()))
    blocks = [
        seeds.rng(seed, "split", f"{stream}/{number}").permutation(names)
        for number in range(-(-count // len(names)))
    ]
    return np.concatenate([names[:0], *blocks])[:count]


def needed(split: str, *, ratios: Mapping[str, float], seed: int, stream: str) -> int:
    """The smallest number of sources of this stream of which one is in ``split``."""
    first_block = sum(block_counts(ratios).values())
    splits = assign(first_block, ratios=ratios, seed=seed, stream=stream)
    return int(np.flatnonzero(splits == split)[0]) + 1
