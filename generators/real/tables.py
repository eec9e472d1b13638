"""Tables as people have them: CSV of any separator, TSV, Parquet, JSON lines, Arrow."""

import csv
import difflib
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_DECIMAL_COMMA = r"^\s*[+-]?\d*(,\d+)?([eE][+-]?\d+)?\s*$"


class BadTable(ValueError):
    """A file is no table that can be read; the message names it and says what to do."""


class UnknownKind(BadTable):
    """The suffix of a file is that of no kind of table that is known."""


def read_table(path: Path) -> pa.Table:
    """The table in a file, by its suffix; every column of a text file as text.

    Of a text file, the separator (``,``, ``;``, tab or ``|``) and UTF-8 or UTF-16 are recognized,
    and so are decimal commas where columns are separated otherwise: ``0,5`` becomes ``0.5``.
    Raises FileNotFoundError, UnknownKind, or BadTable where it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise UnknownKind(f"{path}: not a kind of table known: {', '.join(READERS)}.")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    try:
        table = READERS[suffix](path)
        table.validate(full=True)  # a table may be a stranger's: an offset beyond its buffer kills
        return table
    except BadTable:
        raise
    except (
        *(pa.ArrowException, csv.Error, OSError),
        *(LookupError, TypeError, ValueError, OverflowError),
    ) as error:
        raise BadTable(f"{path} cannot be read: {str(error).rstrip('.')}.") from None


def _text(path: Path) -> pa.Table:
    from pyarrow import csv as arrow_csv

    text = _decoded(path)
    if stated := re.match(r"sep=(.)\r?\n", text):  # Excel's own line
        text = text[stated.end() :]
    separator = stated[1] if stated else _separator(text)
    names = next(csv.reader(io.StringIO(text), delimiter=separator), [])
    if not names:
        raise BadTable(f"{path} cannot be read: its first line should name the columns.")
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string())
            ),
        )
    except pa.ArrowInvalid as error:
        said = str(error).replace("\n", " ").rstrip(".")
        commas = " Are there decimal commas? Save it with another separator." * (separator == ",")
        raise BadTable(
            f"{path} cannot be read as columns separated by {_SEPARATORS.get(separator, separator)}"
            f": {said}.{commas}"
        ) from None
    return table if separator == "," else _with_decimal_points(table)


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in content[:4]:  # what people write begins with letters
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start : error.start + 1]
        looks = f" ('{byte.decode('cp1252', 'replace')}' in Windows-1252)" if byte else ""
        raise BadTable(
            f"{path} is not {encoding.upper().removesuffix('-SIG')}: line {line} holds the byte "
            f"0x{byte.hex()}{looks}. Save it as CSV UTF-8."
        ) from None


def _separator(text: str) -> str:
    """The separator that cuts the first lines into most columns, all alike."""
    lines = io.StringIO(text).read(100_000).splitlines()[:20]

    def columns(separator: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
        return len(set(counts)) == 1, counts[0] if counts else 0

    found = {separator: columns(separator) for separator in _SEPARATORS}
    # Where no separator fits all lines, the header has the say.
    return max(found, key=lambda one: (found[one][1] > 1, *found[one]))


def _with_decimal_points(table: pa.Table) -> pa.Table:
    """Columns of numbers with decimal commas, with points instead."""
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        numbers = pc.all(pc.match_substring_regex(column, _DECIMAL_COMMA)).as_py()
        if numbers and pc.any(pc.match_substring(column, ",")).as_py():
            points = pc.replace_substring(column, ",", ".")
            table = table.set_column(place, name, points)
    return table


def _parquet(path: Path) -> pa.Table:
    from pyarrow import parquet

    return parquet.read_table(path)


def _json_lines(path: Path) -> pa.Table:
    """An object a line. Python reads them: Arrow's reader of JSON ends the process where a value is
    cut off in some ways."""
    rows = []
    for number, line in enumerate(_decoded(path).split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line, object_pairs_hook=_object))
            except (ValueError, RecursionError) as error:
                raise BadTable(f"{path} cannot be read: line {number}: {error}.") from None
    if not all(isinstance(row, dict) for row in rows):
        raise BadTable(f"{path} cannot be read: every line must be an object: {{...}}.")
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _arrow(path: Path) -> pa.Table:
    """An IPC file, or a stream, as Hugging Face's datasets write it."""
    with pa.OSFile(str(path), "rb") as file:
        try:
            return pa.ipc.open_file(file).read_all()
        except pa.ArrowInvalid:
            file.seek(0)
            return pa.ipc.open_stream(file).read_all()


READERS: Mapping[str, Callable[[Path], pa.Table]] = {
    ".csv": _text,
    ".tsv": _text,
    ".txt": _text,
    ".parquet": _parquet,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".arrow": _arrow,
    ".feather": _arrow,
}


_MOST = 20


def nearest(word: str, known: Iterable[str]) -> str:
    """The names, those most like ``word`` first: ``Did you mean 'a'? There are: a, b.``"""
    names = [str(name) for name in known]
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    shown = [*near, *(name for name in names if name not in near)]
    more = f" and {len(shown) - _MOST} more" if len(shown) > _MOST else ""
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"{hint}There are: {', '.join(shown[:_MOST]) or 'none'}{more}."
