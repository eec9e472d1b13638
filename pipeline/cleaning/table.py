"""``data/cleaning``: the images that look wrong, a line each, and what becomes of them."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from raresight.pipeline.core.csv_file import read_rows
from raresight.pipeline.core.files import MANIFEST, sha256, write_json
from raresight.pipeline.core.inputs import read_mapping
from raresight.pipeline.runtime.errors import DataError

FOLDER, FILE, SUMMARY = "cleaning", "table.csv", "summary.json"
Decision = Literal["keep", "drop", "review"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One image that looks wrong.

    ``suggested`` is the class that it looks like, "" where the label is not in doubt; ``why`` names
    what was found, several things joined by ``, ``; ``score`` says how sure that is, from 0 to 1;
    ``rank`` counts from 1, the most worth a look first. ``decision``: ``drop`` is not learned from,
    ``keep`` is what a person decided, ``review`` waits for one.
    """

    id: str
    file: str
    label: str
    suggested: str
    why: str
    score: float
    rank: int
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """What ``clean`` wrote: the findings in the order of their rank, and its summary."""

    findings: Sequence[Finding]
    summary: dict[str, Any]

    @property
    def dropped(self) -> list[str]:
        """The ids of the images that nothing is learned from."""
        return [one.id for one in self.findings if one.decision == "drop"]


_COLUMNS = tuple(field.name for field in fields(Finding))


def write_cleaning(folder: Path, cleaning: Cleaning) -> None:
    """Write the table and its summary into an existing folder."""
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for one in cleaning.findings:
            values = {**dict(zip(_COLUMNS, astuple(one), strict=True)), "score": f"{one.score:.4f}"}
            writer.writerow(values.values())
    write_json(folder / SUMMARY, cleaning.summary)


def read_cleaning(folder: Path) -> Cleaning:
    """What is in ``folder``; DataError where it is damaged."""
    path = folder / FILE
    try:
        findings = [
            Finding(**{**row, "score": float(row["score"]), "rank": int(row["rank"])})  # type: ignore[arg-type]
            for row in read_rows(path, stage="clean")
        ]
        if unknown := {one.decision for one in findings} - {*get_args(Decision)}:
            raise ValueError(f"no decision: {', '.join(sorted(unknown))}")
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is no table of the clean stage ({error}). Run `raresight clean` again."
        ) from None
    return Cleaning(findings=findings, summary=read_mapping(folder / SUMMARY))


def splits_digest(data: Path) -> str:
    """The sha256 by which a cleaning knows the splits that it was made for."""
    return sha256(data / "splits" / MANIFEST)


def left_out(data: Path) -> list[str]:
    """The ids of training images that nothing is learned from; none where nothing was cleaned.

    DataError where they were chosen for other splits than those in ``data``.
    """
    if not (data / FOLDER / FILE).is_file():
        return []
    cleaning = read_cleaning(data / FOLDER)
    made_for = cleaning.summary.get("splits")
    if cleaning.dropped and made_for != splits_digest(data):
        raise DataError(
            f"{data / FOLDER} was made for other splits than those in {data / 'splits'}: what it "
            "leaves out may be in validation or test now. Run `raresight clean` again."
        )
    return cleaning.dropped
