"""Permuted blocks: an assignment that keeps its ratios and never moves."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np

from pipeline.core import seeds

_LARGEST = 100


def block_counts(ratios: Mapping[str, float]) -> dict[str, int]:
    """How many of a block go to each split.

    The block is the smallest of at most 100 that has the ratios exactly; where none does, it is 100,
    rounded by largest remainder with at least one for each split.
    """
    for size in range(len(ratios), _LARGEST + 1):
        counts = {name: round(ratio * size) for name, ratio in ratios.items()}
        exact = all(abs(counts[name] - ratio * size) < 1e-9 for name, ratio in ratios.items())
        if exact and all(counts.values()):
            return counts
    return _largest_remainder(ratios)


def _largest_remainder(ratios: Mapping[str, float]) -> dict[str, int]:
    shares = {name: Fraction(ratio) * _LARGEST for name, ratio in ratios.items()}
    counts = {name: max(1, int(share)) for name, share in shares.items()}
    left = _LARGEST - sum(counts.values())
    by_remainder = sorted(shares, key=lambda name: (int(shares[name]) - shares[name], name))
    for name in by_remainder[: max(0, left)]:
        counts[name] += 1
    return counts


def assign(count: int, *, ratios: Mapping[str, float], seed: int, stream: str) -> np.ndarray:
    """The splits of the first ``count`` sources of a class, str (count,).

    ``stream`` names the class (and its role). Source k of a longer stream gets the same split, so
    adding sources moves none; and every full block has the ratios.
    """
    blocks = _blocks(ratios, seed, stream)
    found: list[np.ndarray] = []
    while sum(map(len, found)) < count:
        found.append(next(blocks))
    return np.concatenate(found)[:count] if found else np.zeros(0, str)


def _blocks(ratios: Mapping[str, float], seed: int, stream: str) -> Iterator[np.ndarray]:
    counts = block_counts(ratios)
    names = np.repeat(list(counts), list(counts.values()))
    number = 0
    while True:
        yield seeds.rng(seed, "split", f"{stream}/{number}").permutation(names)
        number += 1
