"""The ledger: a CSV file in Git that keeps the split of each group."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from raresight.pipeline.core.csv_file import read_lines
from raresight.pipeline.core.files import replaced
from raresight.pipeline.runtime.errors import DataError, listing, suggest
from raresight.pipeline.splitting.table import SPLITS

COLUMNS = ("group", "split")


def read_ledger(path: Path) -> dict[str, str]:
    """The split of each group that the file names, none where there is no file.

    DataError with every row that is wrong.
    """
    try:
        lines = list(read_lines(path, COLUMNS, told="keeps the split of each group"))
    except FileNotFoundError:
        return {}
    kept: dict[str, str] = {}
    problems = []
    for number, row in lines:
        group, split = row["group"], row["split"]
        if not group:
            problems.append(f"line {number}: the group is empty")
        elif split not in SPLITS:
            problems.append(f"line {number}: '{split}' is no split. {suggest(split, SPLITS)}")
        elif kept.setdefault(group, split) != split:
            problems.append(f"line {number}: '{group}' is in {kept[group]} and in {split}")
    if problems:
        raise DataError(f"{path} has lines that cannot be used:\n{listing(problems)}")
    return kept


def write_ledger(path: Path, kept: Mapping[str, str]) -> None:
    """The file again, a line a group in the order of the names, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(kept.items()))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as new:
        new.write_text(text.getvalue(), encoding="utf-8")
