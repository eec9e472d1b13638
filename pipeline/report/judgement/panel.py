"""What the two sliders need: a handful of numbers, from which the page computes all others."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil, log10, sqrt
from typing import Any

import numpy as np

from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.evaluation.prevalence import RATIO_FALSE_POSITIVES, RATIO_POSITIVES
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings
from raresight.pipeline.report.charts.draw import PREVALENCES, draw_prevalences
from raresight.pipeline.report.judgement.now import Now, lines_over, panel_now
from raresight.pipeline.report.judgement.operating import Stops

_PER_DECADE = 24  # places of the prevalence slider: each is another number of two digits
_POINTS = 160  # of a line over the prevalences


@dataclass(frozen=True, kw_only=True)
class Panel:
    """``data`` for the script, the ``chart`` it draws into, and the prevalences to jump to.

    ``name`` begins the ids of its elements, so that a page can hold several; ``now`` is what it
    shows at first, ``position`` where the slider of the prevalence stands.
    """

    name: str
    data: Mapping[str, Any]
    chart: str
    presets: tuple[tuple[str, float], ...]
    now: Now
    position: int


def panel(
    stops: Stops, *, deployment: Sequence[float], settings: IntervalSettings, name: str = ""
) -> Panel:
    """The panel, at first at the test set's own prevalence."""
    own = stops.positives / (stops.positives + stops.negatives)
    low, high = PREVALENCES
    start = min(max(own, low), high)
    names = [METRICS[metric].label for metric in shown("sliders", positive=True)]
    title = (
        f"{', '.join(names)} over the share of positive images: as positives become rarer, "
        "accuracy stays and precision falls"
    )
    over = np.geomspace(low, high, _POINTS + 1)
    chart, axes = draw_prevalences(
        title=title, over=over, lines=lines_over(stops, over), at=start, name=name
    )
    data = asdict(stops) | _intervals(stops, settings)
    data |= {"start": start, "low": low, "high": high, "axes": axes, "points": _POINTS}
    data |= {"per_decade": _PER_DECADE, "steps": ceil(_PER_DECADE * log10(high / low))}
    there = [("in use", share) for share in deployment]
    return Panel(
        name=name,
        data=data,
        chart=chart,
        presets=(("in the test set", own), *there, ("balanced", 0.5)),
        now=panel_now(stops, prevalence=start, settings=settings),
        position=round(_PER_DECADE * log10(start / low)),
    )


def _intervals(stops: Stops, settings: IntervalSettings) -> dict[str, Any]:
    """The ends of each stop's recall and specificity, alone and so that both hold together."""
    # Two intervals at the root of the confidence hold together with the confidence.
    joint = replace(settings, confidence_level=sqrt(settings.confidence_level))
    tn = [stops.negatives - fp for fp in stops.fp]
    return {
        "recall_ends": _ends(stops.tp, stops.positives, settings),
        "joint_recall": _ends(stops.tp, stops.positives, joint),
        "joint_specificity": _ends(tn, stops.negatives, joint),
        "specificity_ends": _ends(tn, stops.negatives, settings),
        "ratio_from": [RATIO_POSITIVES, RATIO_FALSE_POSITIVES],
    }


def _ends(successes: Sequence[int], trials: int, settings: IntervalSettings) -> list[list[float]]:
    ends = {count: settings.proportion(count, trials) or (0.0, 1.0) for count in set(successes)}
    return [[float(f"{end:.7g}") for end in ends[count]] for count in successes]
