"""What is known of the pixels of some images: a number for each, or boxes; read row by row."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa

from raresight.pipeline.dataset.pixels import Mapped, Sharded


class PixelMaps(Mapped):
    """A number for each pixel of every row, in any number of memory-mapped shards.

    ``maps[row]`` is (H, W), read-only, or None where it is unknown. A slice, list, mask or index
    array gives one array (n, H, W), and so does ``numpy.asarray``; in it the unknown is zero. A map
    that is zero everywhere takes no room on disk.
    """

    def __init__(self, shards: Sequence[pa.Array], shape: tuple[int, int], dtype: np.dtype):
        stored = [_stored(shard, shape, dtype) for shard in shards]
        super().__init__(
            [maps for maps, _ in stored], [len(shard) for shard in shards], mapped=True
        )
        self.dtype = dtype
        self._zeros = np.zeros(shape, dtype)
        self._zeros.flags.writeable = False
        self._stored = stored
        self._known = [shard.is_valid().to_numpy(zero_copy_only=False) for shard in shards]

    @property
    def shape(self) -> tuple[int, int, int]:
        height, width = self._zeros.shape
        return (len(self), height, width)

    @overload
    def __getitem__(self, index: int) -> np.ndarray | None: ...

    @overload
    def __getitem__(self, index: slice | Sequence[int] | np.ndarray) -> np.ndarray: ...

    def __getitem__(self, index: Any) -> np.ndarray | None:
        if isinstance(index, (int, np.integer)):
            shard, row = self.place(int(index))
            return self._map(shard, row) if self._known[shard][row] else None
        return self.take(np.arange(len(self))[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.take(np.arange(len(self))), dtype)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """A copy of ``rows`` (int indices), (len(rows), H, W); zeros where a map is unknown."""
        rows = np.asarray(rows)
        found = np.zeros((len(rows), *self.shape[1:]), self.dtype)
        owner, places = self.places(rows)
        for shard in np.unique(owner).tolist():
            maps, numbers = self._stored[shard]
            here = np.flatnonzero(owner == shard)
            wanted = numbers[places[here]]
            found[here[wanted >= 0]] = maps[wanted[wanted >= 0]]
            self.touch(shard, wanted[wanted >= 0])
        return found

    def _map(self, shard: int, row: int) -> np.ndarray:
        maps, numbers = self._stored[shard]
        found: np.ndarray = self._zeros if numbers[row] < 0 else maps[numbers[row]]
        return found


class Boxes(Sharded):
    """The boxes of every row: ``boxes[row]`` is float32 (objects, 4), each (x, y, width, height) in
    pixels, or None where they are unknown."""

    def __init__(self, shards: Sequence[pa.ListArray]):
        super().__init__([len(shard) for shard in shards])
        self._shards = list(shards)

    def __getitem__(self, row: int) -> np.ndarray | None:
        shard, place = self.place(row)
        found = self._shards[shard][place]
        if not found.is_valid:
            return None
        return np.array(found.as_py(), np.float32).reshape(-1, 4)


def _stored(
    shard: pa.Array, shape: tuple[int, int], dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """The maps of a binary column, (m, H, W) straight from the map of the file, and which of them
    is that of each row, int (n,); -1 where nothing is stored."""
    _, offsets, data = shard.buffers()
    starts = np.frombuffer(offsets, np.int32)[shard.offset : shard.offset + len(shard) + 1]
    size = shape[0] * shape[1] * dtype.itemsize
    # Each value has all bytes of a map or none, so that its start tells its number.
    numbers = np.where(np.diff(starts) > 0, starts[:-1] // size, -1)
    # A column without a single map has no buffer of bytes at all, or one of no length.
    flat = np.frombuffer(data, np.uint8, starts[-1]) if data else np.zeros(0, np.uint8)
    return flat.view(dtype).reshape(-1, *shape), numbers
