"""Records: what is known of an image before it is drawn, and streams of them."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

# Weyl's sequence with the golden ratio is the most even of its kind: of the first n records,
# p n +- about 1 fall below p, for every n and p at once.
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, kw_only=True)
class Record:
    """One image to be: its id, its class, and for real images the file it is in.

    ``group`` names what it must stay together with, such as its patient, where that is known before
    the image is: records of one group are never divided between train, val and test.
    ``given_split`` is ``train``, ``val`` or ``test`` where whoever made the images says it.
    """

    id: str
    label: str
    path: Path | None = None
    group: str | None = None
    given_split: str | None = None

    @property
    def file(self) -> Path:
        """``path`` of a record that is read in; ValueError where it is one to be drawn."""
        if self.path is None:
            raise ValueError(f"record '{self.id}' has no file to be read")
        return self.path


class Stream(Sequence[Record]):
    """``length`` records, each made when it is asked for by its number."""

    length: int

    @abstractmethod
    def _record(self, k: int) -> Record:
        """The k-th record."""

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, k: int) -> Record: ...

    @overload
    def __getitem__(self, k: slice) -> Sequence[Record]: ...

    def __getitem__(self, k: int | slice) -> Record | Sequence[Record]:
        if isinstance(k, slice):
            return [self._record(one) for one in range(self.length)[k]]
        if not 0 <= k < self.length:
            raise IndexError(f"record {k} of {self.length}")
        return self._record(k)


@dataclass(frozen=True)
class Counted(Stream):
    """``length`` records of one class, ``name-label-0000000`` and on."""

    name: str
    label: str
    length: int

    def _record(self, k: int) -> Record:
        return Record(id=f"{self.name}-{self.label}-{k:07d}", label=self.label)


@dataclass(frozen=True)
class Mixed(Stream):
    """``length`` records of several classes, ``name-0000000`` and on.

    The class of the k-th record depends on k and the shares alone, so a longer set begins with the
    shorter one; and of two classes, raising the rare share (up to a half) only turns common records
    into rare ones.
    """

    name: str
    shares: Mapping[str, float]
    length: int

    def _record(self, k: int) -> Record:
        return Record(id=f"{self.name}-{k:07d}", label=self._label(k))

    def _label(self, k: int) -> str:
        point = (k + 0.5) * _GOLDEN % 1.0
        for label, share in self._rarest_first:
            point -= share
            if point < 0:
                return label
        return self._rarest_first[-1][0]

    @cached_property
    def _rarest_first(self) -> list[tuple[str, float]]:
        return sorted(self.shares.items(), key=lambda item: (item[1], item[0]))
