"""Writing shards: one Arrow file, one record batch, bytes that depend on the rows alone."""

from pathlib import Path

import pyarrow as pa

from raresight.pipeline.core.files import sha256
from raresight.pipeline.dataset.schema import Description, Rows, Shard, arrow_schema
from raresight.pipeline.runtime.system import flush


def shard_name(number: int) -> str:
    return f"part-{number:05d}.arrow"


def write_shard(path: Path, rows: Rows, description: Description, *, source: str) -> Shard:
    """Write ``rows`` as the one record batch of ``path`` and return its entry for dataset.json.

    ValueError where the rows hold an optional column that the description does not name.
    """
    schema, shape = arrow_schema(description), description.image_shape
    if undeclared := sorted(set(rows.columns) - set(description.columns)):
        raise ValueError(f"the description names no column {', '.join(undeclared)}")
    values, unknown = rows.by_column(), [None] * len(rows)
    batch = pa.record_batch(
        [
            column.kind.encode(values.get(name, unknown), shape)
            for name, column in description.kinds().items()
        ],
        schema=schema,
    )
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(batch)
    flush(path)  # here, where other shards are being drawn meanwhile, and not all at the end
    return Shard(file=path.name, rows=len(rows), sha256=sha256(path), source=source)
