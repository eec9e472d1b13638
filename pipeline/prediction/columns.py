"""Columns of a table, made of their bytes.

``pyarrow.array`` asks pandas, if it is installed, whether it knows the values, and loads it to ask:
for a table of a hundred rows that took longer than to write it.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def numbers(values: np.ndarray) -> pa.Array:
    """The numbers (n,) as a column of their own type."""
    return _column(pa.from_numpy_dtype(values.dtype), len(values), np.ascontiguousarray(values))


def flags(values: np.ndarray) -> pa.Array:
    """Bool (n,) as a column; a bit each, the first the lowest of its byte."""
    return _column(pa.bool_(), len(values), _bits(values))


def texts(values: Sequence[str | None]) -> pa.Array:
    """Texts as a column, null where there is none."""
    encoded = [b"" if text is None else text.encode() for text in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64).astype(np.int32)
    known = np.array([text is not None for text in values], bool)
    valid = None if known.all() else pa.py_buffer(_bits(known))
    buffers = [valid, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def _column(kind: pa.DataType, count: int, values: np.ndarray) -> pa.Array:
    return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(values)])


def _bits(values: np.ndarray) -> np.ndarray:
    return np.packbits(values, bitorder="little")
