"""The model beside what it has to beat: a card a metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.wording.names import row_names
from raresight.pipeline.wording.numbers import interval, number


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One contestant's figure: ``value``, ``low`` and ``high`` in [0, 1], and as texts."""

    name: str
    kind: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    between: str
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Card:
    """A metric, what it means, and everyone's figure."""

    title: str
    meaning: str
    bars: tuple[Bar, ...]


def contestants(metrics: Mapping[str, Any]) -> dict[str, str]:
    """The entries of results.json that are compared, and what the page calls them."""
    return {entry: name for entry, name in row_names(metrics).items() if entry in metrics}


def cards(metrics: Mapping[str, Any]) -> tuple[Card, ...]:
    """From the contents of results.json; accuracy stands last, as it does not see a rare class."""
    entries = contestants(metrics)
    names = shown("card", positive=metrics["positive"] is not None)
    return tuple(
        Card(
            title=METRICS[metric].title,
            meaning=METRICS[metric].meaning,
            bars=tuple(
                _bar(metrics[entry], metric, entry, name) for entry, name in entries.items()
            ),
        )
        for metric in sorted(names, key=lambda name: name == "accuracy")
    )


def _bar(row: Mapping[str, Any], metric: str, entry: str, name: str) -> Bar:
    return Bar(
        name=name,
        kind=entry,
        value=row.get(metric),
        low=row.get(f"{metric}_low"),
        high=row.get(f"{metric}_high"),
        text=number(row.get(metric)),
        between=interval(row, metric, "{:.3f}".format),
        reason=row.get("undefined", {}).get(metric),
    )
