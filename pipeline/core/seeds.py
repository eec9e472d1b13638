"""Randomness is an argument: one independent stream a record."""

import hashlib
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence


class _Digest(ISeedSequence):
    """Hands a digest to a bit generator as its seed material.

    A cryptographic digest needs none of SeedSequence's mixing, which takes four fifths of the time
    of making a generator (22 us against 4.5 us): with a stream per image that is felt.
    """

    __slots__ = ("digest",)

    def __init__(self, digest: bytes):
        self.digest = digest

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        return np.frombuffer(self.digest, dtype=dtype, count=n_words)


def _digest(seed: int, stage: str, record: str | int, size: int) -> bytes:
    return hashlib.blake2b(f"{seed}\0{stage}\0{record}".encode(), digest_size=size).digest()


def rng(seed: int, stage: str, record: str | int) -> np.random.Generator:
    """The random stream of one record: a pure function of (seed, stage, record).

    Streams of different arguments are independent; nothing global is read or changed.
    """
    digest = _Digest(_digest(seed, stage, record, 32))
    # numpy takes any ISeedSequence; its types name one class of them.
    return np.random.Generator(np.random.PCG64(digest))  # type: ignore[arg-type]


def integer(seed: int, stage: str, record: str | int) -> int:
    """A seed in [0, 2**63) for libraries that take a number, as pure as :func:`rng`."""
    return int.from_bytes(_digest(seed, stage, record, 8), "little") >> 1


def uniforms(seed: int, stage: str, records: np.ndarray, num: int) -> np.ndarray:
    """``num`` random numbers in [0, 1) for each of many numbered records: float64 (n, num).

    Row i is a pure function of (seed, stage, records[i]), whatever the other records are: a counter
    put through SplitMix64's finaliser twice (Steele et al. 2014), 50 times as fast as a generator
    for each record.
    """
    key = np.uint64(int.from_bytes(_digest(seed, stage, "", 8), "little"))
    rows = _splitmix64(key + np.asarray(records, np.uint64) * _SPLITMIX64_STEP)
    mixed = _splitmix64(rows[:, None] + np.arange(1, num + 1, dtype=np.uint64) * _SPLITMIX64_STEP)
    numbers: np.ndarray = (mixed >> np.uint64(11)) * 2.0**-53
    return numbers


_SPLITMIX64_STEP = np.uint64(0x9E3779B97F4A7C15)


def _splitmix64(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = x ^ (x >> np.uint64(31))
    return mixed
