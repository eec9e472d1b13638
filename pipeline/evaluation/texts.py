"""Texts of a table from outside: short enough to be held, and none that a terminal would obey."""

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from raresight.pipeline.runtime.errors import DataError

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST = 1000  # characters of a text
_SHOWN = ("id", "label", "predicted", "group", "source_id", "factor.")


def check_lengths(table: pa.Table, where: str) -> None:
    """One text of a megabyte would make every row of its column a megabyte."""
    for name in table.column_names:
        kind = table.schema.field(name).type
        if table.num_rows and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            lengths = pc.fill_null(pc.utf8_length(table[name]), 0)
            if (most := pc.max(lengths).as_py()) > _LONGEST:
                told = f"{where}: row {pc.index(lengths, most).as_py() + 1}, column '{name}'"
                raise DataError(f"{told}: {most:,} characters, of {_LONGEST:,} at most.")


def problems(table: pa.Table) -> Iterator[tuple[int, str]]:
    """The row and a sentence for each text with control characters that would be shown somewhere;
    columns that are passed over may have them."""
    for name in (one for one in table.column_names if one.startswith(_SHOWN)):
        for row, text in enumerate(table[name].to_pylist()):
            if isinstance(text, str) and CONTROL.search(text):
                yield row, f"{name} {text!r} has control characters"
