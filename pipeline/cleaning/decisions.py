"""What a person decided of images, in a CSV file that Git keeps: ``clean.decisions``."""

from collections.abc import Collection
from pathlib import Path

from raresight.pipeline.core.csv_file import read_lines
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
        lines = list(read_lines(path, _COLUMNS, told="says what was decided"))
    except FileNotFoundError:
        raise InputMissing(
            f"{path} does not exist, and clean.decisions names it. Copy data/cleaning/table.csv "
            "there and edit its column decision, or set clean.decisions to null."
        ) from None
    decided: dict[str, str] = {}
    problems = []
    for number, row in lines:
        id, decision = row["id"], row["decision"].strip()
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
