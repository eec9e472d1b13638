"""CSV files: a line an entry, under the names of its columns; our own, and those people edit."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from raresight.pipeline.runtime.errors import DataError, InputMissing, suggest


def read_rows(path: Path, *, stage: str, delimiter: str = ",") -> list[dict[str, str]]:
    """The lines of a table that ``stage`` wrote, each with a value in every column.

    Raises InputMissing where there is none, DataError where it is damaged.
    """
    remedy = f"Run `raresight {stage}` again."
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, delimiter=delimiter))
    except FileNotFoundError:
        raise InputMissing(f"{path} does not exist. {remedy}") from None
    except (csv.Error, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. {remedy}") from None
    names = lines[0] if lines else []
    for number, line in enumerate(lines, 1):
        if len(line) != len(names) or len(set(names)) != len(names):
            raise DataError(
                f"{path} is damaged: line {number} has {len(line)} values under {len(names)} "
                f"columns. {remedy}"
            )
    return [dict(zip(names, line, strict=True)) for line in lines[1:]]


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
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
        names = next(csv.reader(io.StringIO(text)), [])
    except csv.Error as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    if missing := [name for name in columns if name not in names]:
        raise DataError(
            f"{path} {told} in the columns {' and '.join(columns)}: '{missing[0]}' is missing. "
            f"{suggest(missing[0], names)}"
        )
    for number, row in enumerate(rows, 2):  # the first line has the names
        yield number, {name: row[name] or "" for name in columns}
