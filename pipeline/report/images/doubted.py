"""Training images that look wrong, as the page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from raresight.pipeline.cleaning.table import Cleaning, Finding
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.report.images.pictures import Picture
from raresight.pipeline.report.images.sheets import picture_of

_MOST = 24  # that are shown


@dataclass(frozen=True, kw_only=True)
class Doubted:
    """An image with what was found of it."""

    finding: Finding
    picture: Picture


@dataclass(frozen=True, kw_only=True)
class CleaningShown:
    """The first of ``findings`` as pictures, the summary, and how well planted faults were found.

    ``planted`` are rows: class or kind, how many were planted, the share that was found, and the
    share of the good ones that was flagged too, None where there is none.
    """

    total: int
    dropped: int
    summary: dict[str, Any]
    first: Sequence[Doubted]
    planted: Sequence[tuple[str, int, float | None, float | None]]


def cleaning_shown(data: Dataset, cleaning: Cleaning | None) -> CleaningShown | None:
    """None where nothing was looked for."""
    if cleaning is None or "images" not in cleaning.summary:
        return None
    row_of = {id: row for row, id in enumerate(data.ids.tolist())}
    return CleaningShown(
        total=len(cleaning.findings),
        dropped=len(cleaning.dropped),
        summary=cleaning.summary,
        first=[
            Doubted(finding=one, picture=picture_of(data, row_of[one.id]))
            for one in cleaning.findings[:_MOST]
        ],
        planted=_planted(cleaning.summary.get("planted", {})),
    )


def _planted(
    scores: dict[str, Any],
) -> list[tuple[str, int, float | None, float | None]]:
    rows = [
        (f"labelled '{name}'", of["wrong"], of["recall"], of["good_thrown"])
        for name, of in scores.get("labels", {}).items()
    ]
    rows += [
        (f"'{name}', labelled as another", of["hidden"], of["hidden_found"], None)
        for name, of in scores.get("labels", {}).items()
        if of["hidden"]
    ]
    if "outliers" in scores:
        outliers = scores["outliers"]
        rows += [
            (f"outlier: {kind.replace('_', ' ')}", count, outliers["recall"][kind], None)
            for kind, count in outliers["kinds"].items()
        ]
    return rows
