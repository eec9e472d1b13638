"""What reality costs: the same model on drawn and on real test images."""

import math

import numpy as np

from raresight.pipeline.evaluation.uncertainty.effective import (
    count_groups,
    effective_proportion,
    too_few_groups,
)
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

# Which answers are right, bool (n,), and the images' groups, int (n,); None where each is alone.
Answers = tuple[np.ndarray, np.ndarray | None]


def transfer(
    drawn: Answers, real: Answers, *, settings: IntervalSettings
) -> dict[str, float | int | str | None]:
    """Accuracy on drawn and on real images, with their intervals, and the gap.

    The gap is drawn minus real. Its interval is Newcombe's for the difference of two independent
    proportions, from their own intervals (Statistics in Medicine 17, 1998, method 10), counting
    groups. Both sets hold images. A set of one group alone leaves no interval, and a ``reason``.
    """
    found: dict[str, float | int | str | None] = {}
    known = []
    for name, (right, groups) in (("drawn", drawn), ("real", real)):
        every = np.ones(len(right), bool)
        worth = effective_proportion(right, every, groups)
        ends = None if worth is None else settings.proportion(*worth)
        share = float(right.mean())
        known.append((share, *(ends or (math.nan, math.nan))))
        found |= {f"{name}_images": len(right), f"{name}_groups": count_groups(groups, every)}
        found |= {f"{name}_accuracy": share, **_ends(f"{name}_accuracy", known[-1][1:])}
        if ends is None:
            found["reason"] = too_few_groups(len(right))
    (share, low, high), (other, other_low, other_high) = known
    gap = share - other
    below, above = (
        math.hypot(share - low, other_high - other),
        math.hypot(high - share, other - other_low),
    )
    return {**found, "gap": gap, **_ends("gap", (gap - below, gap + above))}


def _ends(name: str, ends: tuple[float, float]) -> dict[str, float | None]:
    low, high = (None if math.isnan(end) else end for end in ends)
    return {f"{name}_low": low, f"{name}_high": high}
