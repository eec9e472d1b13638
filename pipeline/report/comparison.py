"""The model beside what it has to beat: a card a metric, accuracy and F1 next to each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raresight.pipeline.wording.numbers import interval, number

_POSITIVE = {
    "accuracy": ("Accuracy", "share of all images that are called right"),
    "f1": ("F1", "balance of precision and recall"),
    "precision": ("Precision", "share of the alarms that are right"),
    "recall": ("Recall", "share of the positives that are found"),
    "average_precision": ("Average precision", "precision over all thresholds"),
}
_ALIKE = {
    "accuracy": ("Accuracy", "share of all images that are called right"),
    "macro_f1": ("Macro F1", "mean over the classes"),
    "macro_precision": ("Macro precision", "mean over the classes"),
    "balanced_accuracy": ("Macro recall", "mean over the classes"),
    "macro_average_precision": ("Macro average precision", "mean over the classes"),
}


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
    """The entries of metrics.json that are compared, and what the page calls them."""
    always = f"always '{metrics['majority']['answer']}'"
    names = {
        "test": "model",
        "perturbed": "perturbed images",
        "shortcut": "a glance alone",
        "prior_random": "guessing",
        "majority": always,
    }
    return {entry: name for entry, name in names.items() if entry in metrics}


def cards(metrics: Mapping[str, Any]) -> tuple[Card, ...]:
    """From the contents of metrics.json, accuracy and F1 first."""
    shown = _ALIKE if metrics["positive"] is None else _POSITIVE
    entries = contestants(metrics)
    return tuple(
        Card(
            title=title,
            meaning=meaning,
            bars=tuple(
                _bar(metrics[entry], metric, entry, name) for entry, name in entries.items()
            ),
        )
        for metric, (title, meaning) in shown.items()
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
