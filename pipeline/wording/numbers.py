"""How a judgement's numbers read: with as many digits as they bear.

The terminal and the page both speak through this module, so that they say the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

Metrics = Mapping[str, Any]

DASH = "\N{EN DASH}"


def costs_told(cost: Metrics) -> str:
    """What answering by the costs is worth, from the ``cost`` entry of results.json."""
    always = cost["always"]
    return (
        f"Answers are the cheapest by evaluate.threshold.costs: {with_interval(cost, 'test')} an "
        f"image. The classes with the highest scores would cost "
        f"{with_interval(cost, 'without_costs')}, so costs save {with_interval(cost, 'saved')}; "
        f"always answering '{always['answer']}' would cost {number(always['cost'])}."
    )


def interval(row: Metrics, name: str, show: Callable[[float], str]) -> str:
    """The ends of a figure's interval; empty where there is none."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return "" if low is None or high is None else f"{show(low)}{DASH}{show(high)}"


def with_interval(row: Metrics, name: str) -> str:
    between = interval(row, name, number)
    return number(row[name]) + (f" [{between}]" if between else "")


def number(value: float | None) -> str:
    """Three decimals, more where they would hide that it is not 0 or 1; a dash for none."""
    if value is None:
        return DASH
    if 0 < value < 0.0095:
        return f"{value:.2g}"
    for decimals in range(3, 10):
        text = f"{value:.{decimals}f}"
        if value == 1 or float(text) < 1:
            break
    return text


def count(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}"


def share(value: float) -> str:
    """A share in [0, 1] in per cent, with three digits at most."""
    return f"{100 * value:.3g} %"
