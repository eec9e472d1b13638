"""Datasets of Hugging Face: Parquet files as the hub has them, and what `save_to_disk` writes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from raresight.generators.base import BadImages
from raresight.generators.formats.archive import (
    Archive,
    ArchiveOptions,
    Held,
    files_of,
    splits_of_files,
)
from raresight.generators.real.contents import Content
from raresight.generators.real.tables import nearest

_PARQUET, _ARROW = ".parquet", ".arrow"
_lock = Lock()


class HuggingFaceOptions(ArchiveOptions):
    """Where the files are, and which column has the images, where several or none says it does.

    ``path``: a .parquet or .arrow file, or a folder with such. Where there is a network, `hf
    download NAME --repo-type dataset --local-dir data/raw/NAME` fetches one of the hub.
    """

    image: str | None = None


class HuggingFace(Archive):
    """A row an image: classes have the names of a ClassLabel, splits those of the files.

    Every other column becomes a factor.
    """

    summary = "real images of a Hugging Face dataset on disk (Parquet, Arrow)"
    options = HuggingFaceOptions
    noun = "dataset"

    config: HuggingFaceOptions

    def _open(self, path: Path) -> Held:
        files = files_of(path, (_PARQUET, _ARROW), self.place)
        splits = splits_of_files(files, path)
        given = all(splits.values()) and path.is_dir()
        tables, contents = [], []
        for file in files:
            try:
                opened = _opened(str(file))
                image = self._image_column(opened.schema)
                cells = _cells(opened, image)
                table = opened.columns([n for n in opened.schema.names if n != image])
            except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
                raise BadImages(f"{file} cannot be read: {str(error).rstrip('.')}.") from None
            table = _with_names(table, _features(opened.schema))
            own = self.config.columns
            stem = file.relative_to(path).as_posix() if path.is_dir() else file.name
            names = [f"{stem}/{number}" for number in range(len(cells))]
            table = table.append_column(own.file, pa.array(names))
            if given and own.split is not None and own.split not in table.column_names:
                table = table.append_column(own.split, pa.array([splits[file]] * len(cells)))
            tables.append(table)
            contents += cells
        table = pa.concat_tables(tables, promote_options="permissive")
        return Held(table=table, contents=contents)

    def _image_column(self, schema: pa.Schema) -> str:
        """The column that was named, or the only one that can hold images."""
        features = _features(schema)
        known = [n for n, one in features.items() if one.get("_type") == "Image"] or [
            field.name for field in schema if _holds_images(field.type)
        ]
        asked = self.config.image
        if asked is not None and asked not in schema.names:
            raise BadImages(f"{self.place} has no column '{asked}'. {nearest(asked, schema.names)}")
        if asked is None and len(known) != 1:
            told = ", ".join(known) or "none"
            raise BadImages(
                f"{self.place}: which column has the images? It may be: {told}; there are "
                f"{', '.join(schema.names)}. Say it below `options`, such as `image: NAME`."
            )
        return asked or known[0]


@dataclass(frozen=True, kw_only=True)
class Cell(Content):
    """The image in one cell of a file: a ``row`` of a ``part`` that is read at once."""

    path: str
    column: str
    part: int
    row: int

    def read(self) -> bytes:
        with _lock:  # several threads would read the same part at once
            value = _part(self.path, self.column, self.part)[self.row].as_py()
        if isinstance(value, Mapping):
            if value.get("bytes") is None and value.get("path"):
                raise ValueError(f"only its path is there ({value['path']}), not its bytes")
            value = value.get("bytes")
        return value or b""

    @property
    def name(self) -> str:
        return f"{self.path}, row {self.row} of part {self.part}"


class _Parquet:
    """A Parquet file; a part is a row group."""

    def __init__(self, path: str):
        self.path = path
        self._file = parquet.ParquetFile(path)
        self.schema = self._file.schema_arrow
        about = self._file.metadata
        self.rows = [about.row_group(k).num_rows for k in range(about.num_row_groups)]

    def columns(self, names: list[str]) -> pa.Table:
        return self._file.read(columns=names)

    def part(self, column: str, number: int) -> pa.ChunkedArray:
        return self._file.read_row_group(number, columns=[column])[column]


class _Arrow:
    """An IPC file, or a stream as `datasets` writes it, in one part that is mapped, not read."""

    def __init__(self, path: str):
        self.path = path
        source = pa.memory_map(path)
        try:
            self._table = pa.ipc.open_file(source).read_all()
        except pa.ArrowInvalid:
            source.seek(0)
            self._table = pa.ipc.open_stream(source).read_all()
        self.schema = self._table.schema
        self.rows = [self._table.num_rows]

    def columns(self, names: list[str]) -> pa.Table:
        return self._table.select(names)

    def part(self, column: str, number: int) -> pa.ChunkedArray:
        return self._table[column]


def _opened(path: str) -> _Parquet | _Arrow:
    return _Parquet(path) if path.endswith(_PARQUET) else _Arrow(path)


@lru_cache(maxsize=3)
def _part(path: str, column: str, number: int) -> pa.ChunkedArray:
    return _opened(path).part(column, number)


def _cells(file: _Parquet | _Arrow, column: str) -> list[Content]:
    return [
        Cell(path=file.path, column=column, part=part, row=row)
        for part, rows in enumerate(file.rows)
        for row in range(rows)
    ]


def _holds_images(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return {"bytes", "path"} <= {kind.field(k).name for k in range(kind.num_fields)}
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _features(schema: pa.Schema) -> dict[str, Any]:
    """What `datasets` wrote of the columns into the file; nothing where it did not write it."""
    text = (schema.metadata or {}).get(b"huggingface")
    try:
        found = json.loads(text)["info"]["features"] if text else {}
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: one for name, one in found.items() if isinstance(one, dict)}


def _with_names(table: pa.Table, features: Mapping[str, Any]) -> pa.Table:
    """With the names of classes in the place of their numbers; -1, unknown, is empty."""
    for name, feature in features.items():
        if feature.get("_type") == "ClassLabel" and name in table.column_names:
            names = feature["names"]
            texts = [
                names[value] if value is not None and 0 <= value < len(names) else None
                for value in table[name].to_pylist()
            ]
            place = table.column_names.index(name)
            table = table.set_column(place, name, pa.array(texts, pa.string()))
    return table
