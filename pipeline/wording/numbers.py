"""How a judgement's numbers read: with as many digits as they bear.

The terminal and the page both speak through this module, so that they say the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

from raresight.pipeline.core.words import counted

Metrics = Mapping[str, Any]

DASH = "\N{EN DASH}"
_NEARLY_ONE = 0.99  # an upper end that says nothing


def costs_told(cost: Metrics) -> str:
    """What answering by the costs is worth, from the ``cost`` entry of results.json."""
    always = cost["always"]
    return (
        f"Answers are the cheapest by evaluate.threshold.costs: {with_interval(cost, 'test')} an "
        f"image. The classes with the highest scores would cost "
        f"{with_interval(cost, 'without_costs')}, so costs save {with_interval(cost, 'saved')}; "
        f"always answering '{always['answer']}' would cost {number(always['cost'])}."
    )


def groups_told(metrics: Metrics, label: str | None = None) -> str:
    """How many groups the test images are of, with those of ``label``; empty where each is alone.

    ``metrics`` are the contents of results.json.
    """
    found = metrics.get("groups", {}).get("test")
    if found is None:
        return ""
    of_label = "" if label is None else f"{count(found['per_class'][label])} of "
    return f" ({of_label}{counted(found['total'], 'group')})"


def interval(row: Metrics, name: str, show: Callable[[float], str]) -> str:
    """The ends of a figure's interval; empty where there is none."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return "" if low is None or high is None else f"{show(low)}{DASH}{show(high)}"


def with_interval(row: Metrics, name: str) -> str:
    """The figure with its interval; the bound where no more than that is known."""
    between = interval(row, name, number)
    if row[name] is None and between:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        at_least = high > _NEARLY_ONE
        return f"at least {number(low)}" if at_least else f"{number(low)} to {number(high)}"
    return number(row[name]) + (f" [{between}]" if between else "")


def figure(row: Metrics, name: str, show: Callable[[float | None], str] | None = None) -> str:
    """The figure; ``>= x`` where no more than that is known."""
    show, high = show or number, row.get(f"{name}_high")
    if row[name] is None and high is not None and high > _NEARLY_ONE:
        return f"\N{GREATER-THAN OR EQUAL TO}\N{NO-BREAK SPACE}{show(row[f'{name}_low'])}"
    return show(row[name])


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


def level(confidence_level: float) -> str:
    """A confidence level in per cent, with all its digits."""
    return f"{100 * confidence_level:g} %"
