"""What the two sliders need: a handful of numbers, from which the page computes all others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil, log10, sqrt
from typing import Any

from raresight.pipeline.report.charts import PREVALENCES, draw_prevalences
from raresight.pipeline.report.operating import Stops

_PER_DECADE = 24  # places of the prevalence slider: each is another number of two digits
Interval = Callable[..., tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """``data`` for the script, the ``chart`` it draws into, and the prevalences to jump to."""

    data: Mapping[str, Any]
    chart: str
    presets: tuple[tuple[str, float], ...]


def panel(
    stops: Stops, *, deployment: Sequence[float], confidence: float, interval: Interval
) -> Panel:
    """The panel, at first at the test set's own prevalence.

    ``interval(successes, trials, confidence=...)`` is that of a proportion.
    """
    own = stops.positives / (stops.positives + stops.negatives)
    title = (
        "Accuracy, precision, recall and F1 over the share of positive images: as positives become "
        "rarer, accuracy stays and precision falls"
    )
    chart, axes = draw_prevalences(title=title)
    low, high = PREVALENCES
    data = asdict(stops) | _intervals(stops, confidence, interval)
    data |= {"start": min(max(own, low), high), "low": low, "high": high, "axes": axes}
    data |= {"per_decade": _PER_DECADE, "steps": ceil(_PER_DECADE * log10(high / low))}
    there = [("in use", share) for share in deployment]
    presets = (("in the test set", own), *there, ("balanced", 0.5))
    return Panel(data=data, chart=chart, presets=presets)


def _intervals(stops: Stops, confidence: float, interval: Interval) -> dict[str, list]:
    """The ends of each stop's recall, and, to hold together, of its recall and specificity."""
    # Two intervals at the root of the confidence hold together with the confidence.
    joint = sqrt(confidence)
    cleared = [stops.negatives - alarms for alarms in stops.alarms]
    return {
        "recall_ends": _ends(stops.hits, stops.positives, confidence, interval),
        "joint_recall": _ends(stops.hits, stops.positives, joint, interval),
        "joint_specificity": _ends(cleared, stops.negatives, joint, interval),
    }


def _ends(
    successes: Sequence[int], trials: int, confidence: float, interval: Interval
) -> list[list[float]]:
    ends = {count: interval(count, trials, confidence=confidence) for count in set(successes)}
    return [[float(f"{end:.7g}") for end in ends[count]] for count in successes]
