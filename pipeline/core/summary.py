"""Several trainings that differ by their seed alone, in numbers."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any


def summary(values: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, Any]]:
    """Each metric's ``mean``, its ``spread`` and its ``values`` by replicate, counted from 1.

    The spread is the sample standard deviation. Both are null where a replicate has no value. (The
    values are a dict because DVC passes over lists.)
    """
    return {name: _summarize([value[name] for value in values]) for name in values[0]}


def _summarize(values: Sequence[float | None]) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    every = len(known) == len(values)
    return {
        "mean": fmean(known) if every else None,
        "spread": stdev(known) if every and len(known) > 1 else None,
        "values": {str(number): value for number, value in enumerate(values, 1)},
    }
