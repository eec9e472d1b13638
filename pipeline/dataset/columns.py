"""Kinds of columns: what a value is, how a shard stores it, and how it is read back as numpy."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from raresight.pipeline.dataset.annotations import Boxes, PixelMaps
from raresight.pipeline.dataset.pixels import Pixels

Shape = tuple[int, int, int]  # of an image: height, width, channels


class Kind(ABC):
    """One kind of column.

    ``of_pixels`` says whether its values speak of places in the image: such a value is void where
    the image is replaced by another, and a copy that was moved cannot keep it as it is. In every
    method ``shape`` is that of the images; a value that is unknown is None on its way in.
    """

    of_pixels: ClassVar[bool] = False

    @abstractmethod
    def arrow(self, shape: Shape) -> pa.DataType:
        """The type of the Arrow column."""

    @abstractmethod
    def spelled(self, shape: Shape) -> str:
        """The type in words, for dataset.json."""

    @abstractmethod
    def encode(self, values: Sequence[Any], shape: Shape) -> pa.Array:
        """One value a row as an Arrow column; ValueError where one does not fit."""

    @abstractmethod
    def decode(self, parts: Sequence[pa.Array], shape: Shape) -> Any:
        """The columns of all shards, as what is indexed by row."""

    def bytes_per_row(self, shape: Shape) -> int:
        """What a row takes at most; 0 for what counts for nothing beside the pixels."""
        return 0

    def kept(self, value: Any, shape: Shape) -> Any:
        """``value`` as it is kept until it is written, which holds no more memory than it needs.

        ValueError where it does not fit.
        """
        return value

    def void(self, shape: Shape) -> Any:
        """The value of an image in which there is nothing to speak of; only if ``of_pixels``."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Kind):
    """Words; read as a str array, "" where unknown."""

    def arrow(self, shape: Shape) -> pa.DataType:
        return pa.string()

    def spelled(self, shape: Shape) -> str:
        return "string"

    def encode(self, values: Sequence[Any], shape: Shape) -> pa.Array:
        return pa.array(values, pa.string(), from_pandas=False)

    def decode(self, parts: Sequence[pa.Array], shape: Shape) -> np.ndarray:
        # Shard by shard, so that there are never objects of all rows at once.
        columns = [part.fill_null("").to_numpy(zero_copy_only=False).astype(str) for part in parts]
        return np.concatenate(columns) if columns else np.zeros(0, str)


@dataclass(frozen=True)
class Number(Kind):
    """One number a row; read as an array, NaN where unknown (None and NaN stay apart on disk)."""

    dtype: type[np.generic]

    def arrow(self, shape: Shape) -> pa.DataType:
        return pa.from_numpy_dtype(np.dtype(self.dtype))

    def spelled(self, shape: Shape) -> str:
        return np.dtype(self.dtype).name

    def encode(self, values: Sequence[Any], shape: Shape) -> pa.Array:
        return pa.array(values, self.arrow(shape), from_pandas=False)

    def decode(self, parts: Sequence[pa.Array], shape: Shape) -> np.ndarray:
        columns = [part.to_numpy(zero_copy_only=False) for part in parts]
        return np.concatenate(columns) if columns else np.zeros(0, self.dtype)


@dataclass(frozen=True)
class Image(Kind):
    """The pixels, uint8 (H, W, C): one behind the other, so that a map of the file is the array."""

    def arrow(self, shape: Shape) -> pa.DataType:
        return pa.fixed_shape_tensor(pa.uint8(), shape)

    def spelled(self, shape: Shape) -> str:
        return f"uint8 {list(shape)}"

    def bytes_per_row(self, shape: Shape) -> int:
        return int(np.prod(shape))

    def encode(self, values: Sequence[Any], shape: Shape) -> pa.Array:
        return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(values))

    def decode(self, parts: Sequence[pa.Array], shape: Shape) -> Pixels:
        size = int(np.prod(shape))
        shards = []
        for part in parts:
            flat = part.storage.values.to_numpy(zero_copy_only=True)
            start = part.storage.offset * size
            shards.append(flat[start : start + len(part) * size].reshape(len(part), *shape))
        return Pixels(shards, shape, mapped=True)


@dataclass(frozen=True)
class PixelMap(Kind):
    """A number for each pixel, (H, W): the bytes of the array, none where it is zero everywhere.

    Null is unknown. So neither what is not there nor what is not known takes any room.
    """

    dtype: type[np.generic]
    of_pixels: ClassVar[bool] = True

    def arrow(self, shape: Shape) -> pa.DataType:
        return pa.binary()

    def spelled(self, shape: Shape) -> str:
        return f"binary: {np.dtype(self.dtype).name} {list(shape[:2])}, none for zeros"

    def bytes_per_row(self, shape: Shape) -> int:
        return shape[0] * shape[1] * np.dtype(self.dtype).itemsize

    def kept(self, value: Any, shape: Shape) -> bytes | None:
        if value is None or isinstance(value, bytes):
            return value
        found = np.asarray(value, self.dtype)
        if found.shape != shape[:2]:
            raise ValueError(f"a map of shape {found.shape}, not {shape[:2]}")
        return found.tobytes() if found.any() else b""

    def encode(self, values: Sequence[Any], shape: Shape) -> pa.Array:
        cells = [self.kept(value, shape) for value in values]
        known = np.array([cell is not None for cell in cells])
        ends = np.cumsum([0, *(len(cell or b"") for cell in cells)], dtype=np.int32)
        # Buffers of the size that is needed: a builder would copy, and hold up to twice as much.
        bits = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
        data = pa.py_buffer(b"".join(filter(None, cells)))
        return pa.Array.from_buffers(pa.binary(), len(cells), [bits, pa.py_buffer(ends), data])

    def decode(self, parts: Sequence[pa.Array], shape: Shape) -> PixelMaps:
        return PixelMaps(parts, shape[:2], np.dtype(self.dtype))

    def void(self, shape: Shape) -> np.ndarray:
        return np.zeros(shape[:2], self.dtype)


@dataclass(frozen=True)
class BoxList(Kind):
    """Any number of boxes a row, each (x, y, width, height) in pixels, as in COCO."""

    of_pixels: ClassVar[bool] = True

    def arrow(self, shape: Shape) -> pa.DataType:
        return pa.list_(pa.list_(pa.float32(), 4))

    def spelled(self, shape: Shape) -> str:
        return "list of float32 [4]"

    def encode(self, values: Sequence[Any], shape: Shape) -> pa.Array:
        rows = [None if boxes is None else [list(map(float, b)) for b in boxes] for boxes in values]
        return pa.array(rows, self.arrow(shape))

    def decode(self, parts: Sequence[pa.Array], shape: Shape) -> Boxes:
        return Boxes(parts)

    def void(self, shape: Shape) -> tuple[()]:
        return ()


PIXELS = (Image, PixelMap)  # the kinds that are too large for a table
