"""Writing shards: one Arrow file, one record batch, bytes that depend on the rows alone."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.files import sha256
from pipeline.dataset.schema import Description, Rows, Shard, arrow_schema


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
        columns["mask"] = _masks(rows, description)
    missing = [None] * len(rows)
    for name in description.factors:
        columns[f"factor.{name}"] = rows.factors.get(name, missing)
    arrays = [_array(columns[field.name], field.type) for field in schema]
    batch = pa.record_batch(arrays, schema=schema)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(batch)
    return Shard(file=path.name, rows=len(rows), sha256=sha256(path), source=source)


def _tensor(pixels: np.ndarray) -> pa.Array:
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(pixels))


def _masks(rows: Rows, description: Description) -> pa.Array:
    if rows.masks is not None:
        return _tensor(rows.masks)
    kind = arrow_schema(description).field("mask").type
    # Null rows over zero bytes: the bytes of pa.nulls are null too and cannot be mapped.
    zeros = pa.array(np.zeros(len(rows) * kind.storage_type.list_size, np.uint8))
    unknown = pa.array(np.ones(len(rows), bool))
    storage = pa.FixedSizeListArray.from_arrays(zeros, type=kind.storage_type, mask=unknown)
    return pa.ExtensionArray.from_storage(kind, storage)


def _array(values: list | pa.Array, kind: pa.DataType) -> pa.Array:
    # NaN stays NaN (a drawn value that is not a number would be a bug to see), None becomes null.
    return values if isinstance(values, pa.Array) else pa.array(values, kind, from_pandas=False)
