"""CSV files that people edit and Git keeps: a line an entry, under the names of its columns."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from raresight.pipeline.runtime.errors import DataError, suggest


def read_lines(
    path: Path, columns: Sequence[str], *, told: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line after the names, with its number in the file: the text of each of ``columns``.

    ``told`` is what the file says in them, for the message. Raises FileNotFoundError where there is
    no file, DataError where it cannot be read or a column is missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    reader = csv.DictReader(io.StringIO(text))
    names = reader.fieldnames or []
    if missing := [name for name in columns if name not in names]:
        raise DataError(
            f"{path} {told} in the columns {' and '.join(columns)}: '{missing[0]}' is missing. "
            f"{suggest(missing[0], names)}"
        )
    for number, row in enumerate(reader, 2):  # the first line has the names
        yield number, {name: row[name] or "" for name in columns}
