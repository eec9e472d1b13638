"""Pixels of many images in many shards, read by row; straight from memory maps where they are."""

import ctypes
from collections.abc import Sequence
from mmap import PAGESIZE
from typing import Any

import numpy as np

from raresight.pipeline.runtime.system import c_function

_MADV_DONTNEED = 4


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


class Pixels(Sharded):
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
        super().__init__([len(shard) for shard in shards])
        self.shards = list(shards)
        self.dtype = dtype
        self.mapped = mapped
        self._row = tuple(shape)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self._row)

    def __getitem__(self, index: Any) -> np.ndarray:
        """An int gives a view into the map; a slice, list, mask or index array gives a copy."""
        if isinstance(index, (int, np.integer)):
            shard, row = self.place(int(index))
            image: np.ndarray = self.shards[shard][row]
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
            return np.take(self.shards[0], rows, axis=0, out=out, mode="clip")
        owner, places = self.places(rows)
        for number in np.unique(owner):
            here = np.flatnonzero(owner == number)
            out[here] = self.shards[number][places[here]]
        return out

    def release(self) -> None:
        """Give the memory of mapped pages back; they are read again when they are needed.

        Pages that were read count as this process's memory until somebody else wants it. Does
        nothing where there is no map, or no madvise.
        """
        madvise = c_function("madvise")
        if not self.mapped or madvise is None:
            return
        for shard in self.shards:
            start = -(-shard.ctypes.data // PAGESIZE) * PAGESIZE
            size = (shard.ctypes.data + shard.nbytes - start) // PAGESIZE * PAGESIZE
            if size > 0:
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _MADV_DONTNEED)
