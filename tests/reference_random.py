"""Random numbers written down a second time, in whole numbers alone, from what was published.

PCG64 is O'Neill's PCG XSL RR 128/64 (2014, https://www.pcg-random.org), SplitMix64 that of Steele,
Lea and Flood (2014), a shuffle that of Fisher and Yates. Nothing here is numpy's or the project's.
"""

import hashlib
from collections.abc import Iterator

_64, _128 = 2**64 - 1, 2**128 - 1


class Pcg64:
    """PCG64 as ``pcg64_srandom_r(state, stream)`` sets it."""

    def __init__(self, state: int, stream: int):
        self._increment = (2 * stream + 1) & _128
        self._state, self._half = 0, None
        self._step()
        self._state += state
        self._step()

    @classmethod
    def of(cls, seed: int, stage: str, record: str | int) -> "Pcg64":
        """The stream of a record: a digest of 32 bytes as four little words, the higher first."""
        text = f"{seed}\0{stage}\0{record}".encode()
        digest = hashlib.blake2b(text, digest_size=32).digest()
        a, b, c, d = (int.from_bytes(digest[k : k + 8], "little") for k in (0, 8, 16, 24))
        return cls(a << 64 | b, c << 64 | d)

    def _step(self) -> None:
        self._state = (self._state * 0x2360ED051FC65DA44385DF649FCCF645 + self._increment) & _128

    def word(self) -> int:
        """The next 64 bits."""
        self._step()
        folded, turn = (self._state >> 64 ^ self._state) & _64, self._state >> 122
        return (folded >> turn | folded << (64 - turn)) & _64

    def half_word(self) -> int:
        """32 bits: first the lower half of a word, then the upper one that was left."""
        if self._half is not None:
            half, self._half = self._half, None
            return half
        word = self.word()
        self._half = word >> 32
        return word & 0xFFFFFFFF

    def real(self) -> float:
        """In [0, 1), of 53 bits."""
        return (self.word() >> 11) / 2**53

    def up_to(self, most: int) -> int:
        """In [0, most], every number as likely: as few bits as it needs, drawn until they fit."""
        while (drawn := self.half_word() % 2 ** most.bit_length()) > most:
            pass
        return drawn

    def shuffled(self, items: list) -> list:
        """Another order of the items, every one as likely."""
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = self.up_to(last)
            items[last], items[other] = items[other], items[last]
        return items


def splitmix64(state: int) -> Iterator[int]:
    """The numbers of SplitMix64 from a state on."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _64
        z = state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _64
        z = (z ^ z >> 27) * 0x94D049BB133111EB & _64
        yield z ^ z >> 31
