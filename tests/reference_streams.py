"""Random streams written out from their publications, to hold ours against."""

import hashlib

import numpy as np

WORD = 2**64
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645  # of PCG64, O'Neill (2014)
GOLDEN = 0x9E3779B97F4A7C15


def pcg64_from(digest: bytes) -> np.random.PCG64:
    """numpy's PCG64 in the state that its seeding gives to four words, written out by hand.

    Words 0 and 1 are the state's high and low half, 2 and 3 the stream's; the increment is twice
    the stream plus one, and the state is advanced once before and once after the seed is added.
    """
    words = [int.from_bytes(digest[k : k + 8], "little") for k in range(0, 32, 8)]
    increment = ((words[2] * WORD + words[3]) * 2 + 1) % 2**128
    state = ((increment + words[0] * WORD + words[1]) * MULTIPLIER + increment) % 2**128
    generator = np.random.PCG64()
    generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": increment},
        "has_uint32": 0,
        "uinteger": 0,
    }
    return generator


def splitmix64(state: int) -> int:
    """The output for one state, in plain integers (Steele, Lea and Flood 2014)."""
    z = state % WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB % WORD
    return z ^ z >> 31


def digest_of(seed, stage, record, size: int) -> bytes:
    return hashlib.blake2b(f"{seed}\0{stage}\0{record}".encode(), digest_size=size).digest()
