"""Writing shards: one Arrow file, one record batch, bytes that depend on the rows alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from raresight.pipeline.core.files import flush, sha256
from raresight.pipeline.dataset.schema import BOX, PIXELS, Description, Rows, Shard, arrow_schema


def shard_name(number: int) -> str:
    return f"part-{number:05d}.arrow"


def write_shard(path: Path, rows: Rows, description: Description, *, source: str) -> Shard:
    """Write ``rows`` as the one record batch of ``path`` and return its entry for dataset.json."""
    schema = arrow_schema(description)
    columns = {
        "id": rows.ids,
        "source_id": rows.source_ids,
        "origin": [rows.origin] * len(rows),
        "label": rows.labels,
        "true_label": rows.true_labels,
        "variant": rows.variants,
        "image": _tensor(rows.images),
    }
    if description.masks:
        columns["mask"] = _pixels(rows.masks, schema.field("mask").type, len(rows))
    for name in description.columns:
        values, kind = getattr(rows, name), schema.field(name).type
        columns[name] = (
            _pixels(values, kind, len(rows)) if name in PIXELS else _boxes(values, len(rows))
        )
    missing = [None] * len(rows)
    for name in description.factors:
        columns[f"factor.{name}"] = rows.factors.get(name, missing)
    arrays = [_array(columns[field.name], field.type) for field in schema]
    batch = pa.record_batch(arrays, schema=schema)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(batch)
    flush(path)  # here, where other shards are being drawn meanwhile, and not all at the end
    return Shard(file=path.name, rows=len(rows), sha256=sha256(path), source=source)


def _tensor(pixels: np.ndarray) -> pa.Array:
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(pixels))


def _pixels(values: np.ndarray | None, kind: pa.DataType, count: int) -> pa.Array:
    if values is not None:
        return _tensor(values)
    # Null rows over zero bytes: the bytes of pa.nulls are null too and cannot be mapped.
    dtype = kind.value_type.to_pandas_dtype()
    zeros = pa.array(np.zeros(count * kind.storage_type.list_size, dtype))
    unknown = pa.array(np.ones(count, bool))
    storage = pa.FixedSizeListArray.from_arrays(zeros, type=kind.storage_type, mask=unknown)
    return pa.ExtensionArray.from_storage(kind, storage)


def _boxes(boxes: Sequence[Sequence[Sequence[float]]] | None, count: int) -> pa.Array:
    if boxes is None:
        return pa.nulls(count, pa.list_(BOX))
    stops = np.cumsum([0, *map(len, boxes)], dtype=np.int32)
    numbers = np.array([box for row in boxes for box in row], np.float32).ravel()
    inner = pa.FixedSizeListArray.from_arrays(pa.array(numbers), type=BOX)
    return pa.ListArray.from_arrays(pa.array(stops), inner, type=pa.list_(BOX))


def _array(values: list | pa.Array, kind: pa.DataType) -> pa.Array:
    # NaN stays NaN (a drawn value that is not a number would be a bug to see), None becomes null.
    return values if isinstance(values, pa.Array) else pa.array(values, kind, from_pandas=False)
