"""How many images a test set needs."""

from collections.abc import Sequence
from pathlib import Path

from raresight.pipeline.commands.plan import Plan, run


def plan(
    *,
    prevalence: float | Sequence[float],
    recall: float = 0.9,
    width: float = 0.1,
    precision: float = 0.5,
    confidence_level: float = 0.95,
) -> Plan:
    """How many positives and negatives show ``recall`` and ``precision``.

    ``width`` is how wide the interval of the recall may be; ``precision`` is to be shown where the
    share ``prevalence`` of images is positive (one share or several).
    """
    shares = (prevalence,) if isinstance(prevalence, float | int) else tuple(prevalence)
    nowhere = Path()  # neither a params file nor a test set is asked for
    return run(
        nowhere,
        nowhere,
        recall=recall,
        width=width,
        precision=precision,
        confidence=confidence_level,
        prevalences=shares,
    )
