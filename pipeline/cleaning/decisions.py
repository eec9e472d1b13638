"""What a person decided of images, in a CSV file that Git keeps: ``clean.decisions``."""

import csv
import io
from collections.abc import Collection
from pathlib import Path

from raresight.pipeline.runtime.errors import DataError, InputMissing, listing, suggest

_COLUMNS, _OPEN = ("id", "decision"), ("", "review")
DECISIONS = ("keep", "drop")


def read_decisions(path: Path, known: Collection[str], learned: Collection[str]) -> dict[str, str]:
    """``keep`` or ``drop`` by the image's id, of the lines that say either.

    A line whose decision is empty or ``review`` is left open, so that the table which ``clean``
    wrote is such a file. ``known`` are the ids of all originals, ``learned`` those in train. Raises
    InputMissing where there is no file, DataError with every line that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputMissing(
            f"{path} does not exist, and clean.decisions names it. Copy data/cleaning/table.csv "
            "there and edit its column decision, or set clean.decisions to null."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    reader = csv.DictReader(io.StringIO(text))
    names = reader.fieldnames or []
    if missing := [name for name in _COLUMNS if name not in names]:
        raise DataError(
            f"{path} says what was decided in the columns id and decision: '{missing[0]}' is "
            f"missing. {suggest(missing[0], names)}"
        )
    decided: dict[str, str] = {}
    problems = []
    for number, row in enumerate(reader, 2):  # the first line has the names
        id, decision = row["id"] or "", (row["decision"] or "").strip()
        if id not in known:
            problems.append(f"line {number}: no image '{id}'. {suggest(id, known)}")
        elif decision not in (*DECISIONS, *_OPEN):
            problems.append(
                f"line {number}: '{decision}' is no decision: {suggest(decision, DECISIONS)}"
            )
        elif decision in DECISIONS and id not in learned:
            problems.append(f"line {number}: '{id}' is not in train, and nothing else is cleaned")
        elif decision in DECISIONS and decided.setdefault(id, decision) != decision:
            problems.append(
                f"line {number}: '{id}' has two decisions, {decided[id]} and {decision}"
            )
    if problems:
        raise DataError(f"{path} has lines that cannot be used:\n{listing(problems)}")
    return decided
