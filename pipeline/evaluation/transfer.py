"""What reality costs: the same model on drawn and on real test images."""

import math

from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings


def transfer(
    drawn: tuple[int, int], real: tuple[int, int], *, settings: IntervalSettings
) -> dict[str, float | int]:
    """Accuracy on drawn and on real images, each (right, all), with their intervals, and the gap.

    The gap is drawn minus real. Its interval is Newcombe's for the difference of two independent
    proportions, from their own intervals (Statistics in Medicine 17, 1998, method 10). Both sets
    hold images.
    """
    found: dict[str, float | int] = {}
    for name, (right, count) in (("drawn", drawn), ("real", real)):
        low, high = settings.proportion(right, count) or (0.0, 1.0)
        share = right / count
        found |= {f"{name}_images": count, f"{name}_accuracy": share}
        found |= {f"{name}_accuracy_low": low, f"{name}_accuracy_high": high}
    gap = found["drawn_accuracy"] - found["real_accuracy"]
    below = math.hypot(
        found["drawn_accuracy"] - found["drawn_accuracy_low"],
        found["real_accuracy_high"] - found["real_accuracy"],
    )
    above = math.hypot(
        found["drawn_accuracy_high"] - found["drawn_accuracy"],
        found["real_accuracy"] - found["real_accuracy_low"],
    )
    return {**found, "gap": gap, "gap_low": gap - below, "gap_high": gap + above}
