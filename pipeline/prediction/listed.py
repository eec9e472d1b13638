"""A table as an input: the image files that it lists, and what it knows of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from raresight.generators.real import tables
from raresight.generators.real.columns import columns_called
from raresight.generators.real.values import texts_of
from raresight.pipeline.runtime import stores
from raresight.pipeline.runtime.errors import DataError, listing

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


def read_listed(path: str | Path) -> Listed:
    """What a table lists, a path or a URL; its paths are meant from the folder where it lies.

    Raises DataError where it is no table, has no column of files or no rows, or lists a file or an
    id twice.
    """
    table = _table(path)
    column = _files(path, table.column_names)
    names = [name.replace("\\", "/") for name in texts_of(table[column])]
    if not all(names):
        raise DataError(f"{path}: row {names.index('') + 1} has no file ({column}).")
    folder = str(path).rpartition("/")[0] if stores.is_url(path) else Path(path).parent
    files = [stores.joined(folder, name) for name in names]
    texts = {name: texts_of(table[name]) for name in KNOWN_COLUMNS if name in table.column_names}
    for what, values in (("files", files), ("ids", texts.get("id", ()))):
        counts = Counter(value for value in values if value)
        if twice := [value for value, count in counts.items() if count > 1]:
            raise DataError(f"{path} lists {what} more than once:\n{listing(twice)}")
    known = {
        name: {file: value for file, value in zip(files, values, strict=True) if value}
        for name, values in texts.items()
    }
    return Listed(files=files, known=known)


def _table(path: str | Path) -> pa.Table:
    if not stores.is_url(path):
        return _read(Path(path), path)
    with TemporaryDirectory(prefix="raresight-table-") as folder:
        here = Path(folder, f"table{Path(path).suffix}")
        stores.fetch(str(path), here)
        return _read(here, path)


def _read(path: Path, name: str | Path) -> pa.Table:
    try:
        return tables.read_table(path)
    except tables.BadTable as error:
        raise DataError(str(error).replace(str(path), str(name))) from None


def _files(path: str | Path, names: Sequence[str]) -> str:
    """The column of files, by the names that people give it."""
    found = columns_called("file", names)
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{path} has several columns that may name the files ({', '.join(found)}): call the "
            "one that does `file`."
        )
    raise DataError(
        f"{path} lists no files: none of its columns ({', '.join(names)}) is called `file`, or as "
        "files usually are (path, image, filename)."
    )


def joined(parts: Sequence[Listed]) -> Mapping[str, Mapping[str, str]]:
    """What all tables know, by column."""
    columns = [name for name in KNOWN_COLUMNS if any(name in part.known for part in parts)]
    return {
        name: {file: value for part in parts for file, value in part.known.get(name, {}).items()}
        for name in columns
    }
