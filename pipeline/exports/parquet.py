"""Parquet files as Hugging Face `datasets` knows them, with the features Image and ClassLabel."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from raresight.pipeline.dataset.schema import FACTOR
from raresight.pipeline.exports.source import Row, Source

# What the hub calls each split.
NAMES = {"train": "train", "val": "validation", "test": "test"}
FILE_BYTES = 512 << 20  # of raw pixels a file: PNG files are smaller
GROUP_BYTES = 16 << 20  # of raw pixels a row group, which is what a reader holds at a time
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_BOXES = pa.list_(pa.list_(pa.float32()))


def write(source: Source, folder: Path) -> None:
    """``data/SPLIT-00000-of-0000N.parquet``; a row an image, in the order of the dataset."""
    (folder / "data").mkdir()
    schema = _schema(source)
    size = int(np.prod(source.originals.image_shape))
    rows_per_file, rows_per_group = max(1, FILE_BYTES // size), max(1, GROUP_BYTES // size)
    for split in source.places:
        rows = source.rows(split)
        files = -(-source.images(split) // rows_per_file)
        for number in range(files):
            path = folder / "data" / f"{NAMES[split]}-{number:05d}-of-{files:05d}.parquet"
            # The bytes of PNG files are as small as they get.
            with pq.ParquetWriter(path, schema, compression={"id": "snappy"}) as writer:
                for group in _groups(islice(rows, rows_per_file), rows_per_group):
                    writer.write_table(_table(group, schema))


def front_matter(source: Source) -> dict[str, Any]:
    """Which files are of which split, for the card: so no other file is taken for data."""
    files = [
        {"split": NAMES[split], "path": f"data/{NAMES[split]}-*.parquet"} for split in source.places
    ]
    return {"configs": [{"config_name": "default", "data_files": files}]}


def _groups(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while group := list(islice(rows, size)):
        yield group


def _schema(source: Source) -> pa.Schema:
    """Columns and, in their metadata, what `datasets` is to make of them."""
    description = source.originals.description
    fields: dict[str, tuple[pa.DataType, Mapping[str, Any]]] = {
        "image": (_IMAGE, {"_type": "Image"}),
        "label": (pa.int64(), {"_type": "ClassLabel", "names": list(source.classes)}),
    }
    if source.originals.masks is not None:
        fields["mask"] = (_IMAGE, {"_type": "Image"})
    if source.originals.boxes is not None:
        boxes = {"_type": "List", "feature": {"_type": "List", "feature": _value("float32")}}
        fields["boxes"] = (_BOXES, boxes)
    for name in ("id", "source_id", "group", "origin"):
        fields[name] = (pa.string(), _value("string"))
    for name, kind in description.factors.items():
        arrow, word = (pa.float64(), "float64") if kind == "float" else (pa.string(), "string")
        fields[f"{FACTOR}{name}"] = (arrow, _value(word))
    features = {name: feature for name, (_, feature) in fields.items()}
    about = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    return pa.schema(
        [(name, kind) for name, (kind, _) in fields.items()],
        metadata={b"huggingface": about.encode()},
    )


def _value(word: str) -> dict[str, str]:
    return {"_type": "Value", "dtype": word}


def _table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "image": [{"bytes": row.png, "path": f"{row.id}.png"} for row in rows],
        "label": [row.target for row in rows],
        "mask": [_mask(row) for row in rows],
        "boxes": [None if row.boxes is None else row.boxes.tolist() for row in rows],
    }
    for name in schema.names:
        if name not in columns:
            columns[name] = [row.facts()[name] for row in rows]
    return pa.table([pa.array(columns[one.name], one.type) for one in schema], schema=schema)


def _mask(row: Row) -> dict[str, Any] | None:
    if row.mask_png is None:
        return None
    return {"bytes": row.mask_png, "path": f"{row.id}.mask.png"}
