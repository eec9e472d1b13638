"""Pixels of many images in many shards, read by row; straight from memory maps where they are."""

import ctypes
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from mmap import PAGESIZE
from typing import Any

import numpy as np

from raresight.pipeline.core.files import content_digest
from raresight.pipeline.core.parallel import available_cores
from raresight.pipeline.runtime.system import c_function

MAPPED_AT_ONCE = 512 << 20  # bytes in memory because of maps, before their pages are given back
_BLOCK = 2 << 20  # bytes that the kernel may map around one that is read
_HELD_AT_ONCE = 256 << 20  # bytes of images that are copied out of maps
_DIGESTED_AT_ONCE = 1024  # images
_MADV_DONTNEED = 4


def at_once(most: int, shape: Sequence[int]) -> int:
    """How many arrays of bytes of a ``shape`` to hold together: ``most`` unless they are large."""
    return max(1, min(most, _HELD_AT_ONCE // int(np.prod(shape))))


class Sharded:
    """Rows in any number of shards, numbered through."""

    def __init__(self, lengths: Sequence[int]):
        self._starts = np.cumsum([0, *lengths])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def place(self, row: int) -> tuple[int, int]:
        """The shard that a row is in, and its number there; IndexError where there is no such row.

        A negative row counts from the end.
        """
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        row %= len(self)
        shard = int(np.searchsorted(self._starts, row, side="right")) - 1
        return shard, row - int(self._starts[shard])

    def places(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`place` for many rows, int (n,) from 0 on: their shards and numbers there."""
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        return owner, rows - self._starts[owner]


class Mapped(Sharded):
    """Rows in maps of files, one ``maps`` a shard, which take the more memory the more is read.

    Pages that were read count as this process's memory until somebody else wants it. So whoever
    reads says how much, and pages are given back: however many rows there are, few are in memory.
    """

    def __init__(self, maps: Sequence[np.ndarray], lengths: Sequence[int], *, mapped: bool):
        super().__init__(lengths)
        self.mapped = mapped
        self._maps = list(maps)
        self._read: set[int] = set()  # shards, since pages were last given back
        self._bytes = 0

    def touch(self, shard: int, rows: np.ndarray) -> None:
        """Note that ``rows`` (n,) of a shard's map were read; gives pages back once they are many.

        A few rows here and there may have taken all that lies between them into memory.
        """
        if not self.mapped or not len(rows):
            return
        size = self._maps[shard].nbytes // len(self._maps[shard])
        self._read.add(shard)
        self._bytes += len(np.unique(rows * size // _BLOCK)) * (_BLOCK + size)
        if self._bytes > MAPPED_AT_ONCE:
            self.release()

    def release(self) -> None:
        """Give the memory of mapped pages back; they are read again when they are needed.

        Does nothing where there is no map, or no madvise.
        """
        madvise = c_function("madvise")
        if not self.mapped or madvise is None:
            return
        read, self._read, self._bytes = self._read, set(), 0
        for shard in [self._maps[number] for number in list(read)]:  # other threads may add to it
            start = -(-shard.ctypes.data // PAGESIZE) * PAGESIZE
            size = (shard.ctypes.data + shard.nbytes - start) // PAGESIZE * PAGESIZE
            if size > 0:
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _MADV_DONTNEED)


class Pixels(Mapped):
    """Arrays (n, *shape) in any number of shards, indexed as if they were one array.

    ``mapped`` says that all of them are read-only maps of files.
    """

    def __init__(
        self,
        shards: Sequence[np.ndarray],
        shape: tuple[int, ...],
        dtype: np.dtype = np.dtype(np.uint8),  # noqa: B008 - dtypes are immutable
        *,
        mapped: bool = False,
    ):
        super().__init__(shards, [len(shard) for shard in shards], mapped=mapped)
        self.shards = list(shards)
        self.dtype = dtype
        self._row = tuple(shape)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self._row)

    def __getitem__(self, index: Any) -> np.ndarray:
        """An int gives a view into the map; a slice, list, mask or index array gives a copy."""
        if isinstance(index, (int, np.integer)):
            shard, row = self.place(int(index))
            image: np.ndarray = self.shards[shard][row]
            self.touch(shard, np.array([row]))
            return image
        return self.take(np.arange(len(self))[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.take(np.arange(len(self))), dtype)

    def take(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Copy ``rows`` (int indices) into ``out``, a reused buffer of shape (len(rows), ...)."""
        rows = np.asarray(rows)
        if out is None:
            out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        if len(self.shards) == 1:
            np.take(self.shards[0], rows, axis=0, out=out, mode="clip")
            self.touch(0, rows)
            return out
        owner, places = self.places(rows)
        for number in np.unique(owner).tolist():
            here = np.flatnonzero(owner == number)
            out[here] = self.shards[number][places[here]]
            self.touch(number, places[here])
        return out

    def digests(self, rows: np.ndarray) -> np.ndarray:
        """A name for the bytes of each of ``rows`` (n,): its ``content_digest``, bytes "S32" (n,).

        On all cores, as hashing lets other threads run.
        """
        parts = range(0, len(rows), _DIGESTED_AT_ONCE)
        found = np.empty(len(rows), "S32")
        with ThreadPoolExecutor(available_cores()) as pool:
            for at, some in zip(
                parts,
                pool.map(lambda at: self._digests(rows[at : at + _DIGESTED_AT_ONCE]), parts),
                strict=True,
            ):
                found[at : at + len(some)] = some
        return found

    def _digests(self, rows: np.ndarray) -> list[str]:
        owner, places = self.places(rows)
        pairs = zip(owner.tolist(), places.tolist(), strict=True)
        found = [content_digest(self.shards[number][place]) for number, place in pairs]
        for number in np.unique(owner).tolist():
            self.touch(number, places[owner == number])
        return found
