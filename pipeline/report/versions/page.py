"""The page of two versions."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.pipeline import __version__
from raresight.pipeline.comparison.report import Report
from raresight.pipeline.comparison.verdicts import Difference
from raresight.pipeline.comparison.versions import Version
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.ranking import curve, precision_at
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings
from raresight.pipeline.report.charts.draw import draw_plane
from raresight.pipeline.report.charts.painters import Line, Plane
from raresight.pipeline.report.images.galleries import examples_of
from raresight.pipeline.report.images.mistakes import Gallery
from raresight.pipeline.report.judgement.operating import operating_points
from raresight.pipeline.report.judgement.panel import Panel, panel
from raresight.pipeline.report.page import fill
from raresight.pipeline.wording import comparison as wording
from raresight.pipeline.wording.numbers import DASH, number, share

_MOST_POINTS = 400


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One version's answers about the images that both know.

    ``name`` is what it was asked for by, ``commit`` where it lies in Git (empty for the workspace).
    """

    name: str
    commit: str
    version: Version
    outcome: Predictions

    @property
    def identity(self) -> str:
        """12 hexadecimal digits of its results and scores."""
        digest = hashlib.sha256(json.dumps(self.version.results, sort_keys=True).encode())
        digest.update(np.ascontiguousarray(self.outcome.scores).tobytes())
        return digest.hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A metric of both versions, as texts."""

    key: str
    title: str
    old: str
    new: str
    difference: str
    between: str
    ruling: str
    p: str


def versions_page(
    report: Report,
    old: Judged,
    new: Judged,
    *,
    settings: IntervalSettings,
    ids: np.ndarray,
    pictures: Dataset | None,
    title: str | None = None,
    most: int = 12,
) -> str:
    """The page as text. ``ids`` (n,) name the images that both outcomes are about.

    ``pictures`` is a dataset that holds them; without one, no mistake is shown. Of those that one
    version made and the other did not, up to ``most`` each.
    """
    task = new.outcome.task
    sides = [(old, "old-"), (new, "new-")]
    panels = [_panel(one, name, settings) for one, name in sides]
    return fill(
        "versions.html",
        {
            "report": report,
            "title": title,
            "task": task,
            "old": old,
            "new": new,
            "subject": wording.subject(report),
            "answers": wording.answers(report),
            "others": wording.others(report),
            "adjustment": wording.adjustment(report),
            "remarks": [*wording.mistakes(report), *report.notes, *wording.method(report)],
            "rows": list(_rows(report)),
            "params": _params(report),
            "panels": None if None in panels else panels,
            "chart": _chart(old, new),
            "galleries": _galleries(old, new, ids, pictures, most),
            "factors": {},
            "version": __version__,
        },
    )


def _rows(report: Report) -> Iterator[Row]:
    for one in report.comparison.differences:
        yield Row(
            key=one.name,
            title=METRICS[one.name].title,
            old=number(one.old),
            new=number(one.new),
            difference=wording.signed(one.difference),
            between=wording.interval(one),
            ruling=one.ruling,
            p=_p_value(one),
        )


def _p_value(found: Difference) -> str:
    return "" if found.p_adjusted is None else f"p = {found.p_adjusted:.2g}"


def _params(report: Report) -> list[tuple[str, str, str]]:
    pairs: Mapping[str, tuple[Any, Any]] = report.params or {}
    return [(key, _param(old), _param(new)) for key, (old, new) in pairs.items()]


def _param(value: Any) -> str:
    return DASH if value is None else str(value)


def _panel(side: Judged, name: str, settings: IntervalSettings) -> Panel | None:
    """None without a positive class, or where the test set lacks one side of it."""
    index = side.outcome.task.positive_index
    if index is None:
        return None
    positive = side.outcome.targets == index
    if positive.all() or not positive.any():
        return None
    results = side.version.results
    first = {"": results["deployment"]} if "deployment" in results else {}
    places = results.get("deployment_at", first).values()
    stops = operating_points(
        side.outcome.scores[:, index], positive, chosen=results["threshold"]["model"]
    )
    prevalences = [place["prevalence"] for place in places]
    return panel(stops, deployment=prevalences, settings=settings, name=name)


def _chart(old: Judged, new: Judged) -> str | None:
    """Precision against recall of both; None where the images are of one class."""
    positive = new.outcome.main_ranking.positive
    if positive.all() or not positive.any():
        return None
    level = float(positive.mean())
    lines = []
    for side, kind in ((old, "before"), (new, "model")):
        at = curve(side.outcome.main_ranking, max_points=_MOST_POINTS)
        precision = precision_at(at.recall, at.false_positive_rate, level)
        lines.append(Line(side.name, kind, at.recall, precision, at.threshold))
    title = (
        f"Precision against recall where {share(level)} of the images are positive, both versions"
    )
    plane = Plane(x="recall", y="precision", lines=tuple(lines), title=title, level=level)
    return draw_plane(plane, name="pr")


def _galleries(
    old: Judged, new: Judged, ids: np.ndarray, pictures: Dataset | None, most: int
) -> list[Gallery]:
    """What one version got wrong and the other right, what it was surest of first."""
    if pictures is None:
        return []
    wrong = [side.outcome.predicted != side.outcome.targets for side in (old, new)]
    found = {
        "regressed": (new.outcome, np.flatnonzero(wrong[1] & ~wrong[0])),
        "fixed": (old.outcome, np.flatnonzero(wrong[0] & ~wrong[1])),
    }
    return [
        Gallery(
            kind=kind,
            total=len(rows),
            examples=examples_of(pictures, ids[shown].tolist(), outcome, shown),
        )
        for kind, (outcome, rows) in found.items()
        for shown in [_surest_first(outcome, rows)[:most]]
    ]


def _surest_first(outcome: Predictions, rows: np.ndarray) -> np.ndarray:
    """``rows`` (m,) by the score of the class that was predicted there."""
    given = outcome.scores[rows, outcome.predicted[rows]]
    return rows[np.argsort(-given, kind="stable")]
