"""What the two sliders need: a handful of numbers, from which the page computes all others."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

from pipeline.report.charts import PREVALENCES, draw_prevalences
from pipeline.report.operating import Stops


@dataclass(frozen=True, kw_only=True)
class Panel:
    """``data`` for the script, the ``chart`` it draws into, and the prevalences to jump to."""

    data: Mapping[str, Any]
    chart: str
    presets: tuple[tuple[str, float], ...]


def panel(stops: Stops, *, deployment: tuple[float, ...], confidence: float) -> Panel:
    """The panel, at first at the test set's own prevalence."""
    own = stops.positives / (stops.positives + stops.negatives)
    title = (
        "Accuracy, precision, recall and F1 over the share of positive images: as positives become "
        "rarer, accuracy stays and precision falls"
    )
    chart, axes = draw_prevalences(title=title)
    low, high = PREVALENCES
    data = asdict(stops) | {
        "start": min(max(own, low), high),
        "low": low,
        "high": high,
        "z": _z(confidence),
        # Two intervals at the root of the confidence hold together with the confidence.
        "joint_z": _z(sqrt(confidence)),
        "axes": axes,
    }
    presets = [("in the test set", own)]
    presets += [("where it will be used", share) for share in deployment]
    presets += [("one in two", 0.5)]
    return Panel(data=data, chart=chart, presets=tuple(presets))


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
