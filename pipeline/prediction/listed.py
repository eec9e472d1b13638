"""A table as an input: the image files that it lists, and what it knows of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from raresight.generators.real import tables
from raresight.pipeline.runtime.errors import DataError, listing

# The column of files, by the names that people give it; the first of them that is there.
FILE_COLUMNS = (
    "file",
    "file_name",
    "filename",
    "file_path",
    "filepath",
    "path",
    "image",
    "image_path",
)
KNOWN_COLUMNS = ("id", "label", "group")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The files of a table, in its order; by column (:data:`KNOWN_COLUMNS`), what is known of each.

    Columns that the table lacks are not there; a cell that is empty has no entry.
    """

    files: Sequence[str] = ()
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def is_table(path: Path) -> bool:
    """Whether the name of a file is that of a table."""
    return path.suffix.lower() in tables.READERS


def read_listed(path: Path) -> Listed:
    """What a table lists; its paths are meant from the folder where it lies.

    Raises DataError where it is no table, has no column of files or no rows, or lists a file or an
    id twice.
    """
    try:
        table = tables.read_table(path)
    except tables.BadTable as error:
        raise DataError(str(error)) from None
    column = next((name for name in FILE_COLUMNS if name in table.column_names), None)
    if column is None:
        raise DataError(
            f"{path} lists no files: none of its columns ({', '.join(table.column_names)}) is "
            f"called {', '.join(FILE_COLUMNS)}."
        )
    names = [name.replace("\\", "/") for name in _texts(table, column)]
    if not all(names):
        raise DataError(f"{path}: row {names.index('') + 1} has no file ({column}).")
    files = [str(path.parent / name) for name in names]
    texts = {name: _texts(table, name) for name in KNOWN_COLUMNS if name in table.column_names}
    for what, values in (("files", files), ("ids", texts.get("id", ()))):
        counts = Counter(value for value in values if value)
        if twice := [value for value, count in counts.items() if count > 1]:
            raise DataError(f"{path} lists {what} more than once:\n{listing(twice)}")
    known = {
        name: {file: value for file, value in zip(files, values, strict=True) if value}
        for name, values in texts.items()
    }
    return Listed(files=files, known=known)


def _texts(table: pa.Table, name: str) -> list[str]:
    values = table[name].cast(pa.string()).to_pylist()
    return [(value or "").strip() for value in values]


def joined(parts: Sequence[Listed]) -> Mapping[str, Mapping[str, str]]:
    """What all tables know, by column."""
    columns = [name for name in KNOWN_COLUMNS if any(name in part.known for part in parts)]
    return {
        name: {file: value for part in parts for file, value in part.known.get(name, {}).items()}
        for name in columns
    }
