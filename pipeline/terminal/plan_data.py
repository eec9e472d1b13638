"""How much more positives would help, as a person reads it in a terminal."""

from collections.abc import Iterator

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from raresight.pipeline.commands.plan_data import FEW, TIMES, DataPlan
from raresight.pipeline.sweeps.learning_curve import Forecast
from raresight.pipeline.terminal.chart import Chart
from raresight.pipeline.terminal.tables import titled_table
from raresight.pipeline.wording.numbers import DASH, count, number


def render(plan: DataPlan) -> RenderableType:
    """The points, the curve that they make with what is ahead, and what to make of it."""
    parts: list[RenderableType] = [
        Padding(_table(plan), (1, 0, 0, 0)),
        Padding(_chart(plan), (1, 0)),
    ]
    parts += [Padding(Text.assemble(*sentence), (0, 0, 1, 0)) for sentence in _told(plan)]
    return Group(*parts)


def _table(plan: DataPlan) -> RenderableType:
    seeds = len(plan.points[0].average_precision)
    trainings = f"{seeds} trainings each" if seeds > 1 else "one training each"
    table = titled_table(f"Average precision on validation, {trainings}")
    for header in (f"positives '{plan.positive}'", "average precision", "95 % interval"):
        table.add_column(header, justify="right")
    for point in plan.points:
        values = point.average_precision
        spread = f"{number(min(values))}{DASH}{number(max(values))} seen" if seeds > 1 else ""
        table.add_row(count(round(point.positives)), number(float(np.mean(values))), spread)
    for times, ahead in zip(TIMES, plan.ahead, strict=True):
        size = f"{count(round(ahead.size))} ({times} times as many)"
        table.add_row(size, f"{number(1 - ahead.expected)} expected", _interval(ahead))
    return table


def _interval(one: Forecast) -> str:
    return f"{number(1 - one.high)}{DASH}{number(1 - one.low)}"


def _chart(plan: DataPlan) -> Chart:
    known = [(one.positives, float(np.mean(one.average_precision))) for one in plan.points]
    ahead = [(one.size, 1 - one.expected) for one in plan.ahead]
    x, y = zip(*known, *ahead, strict=True)
    title = "average precision by positives; what is right of the mark is foretold"
    return Chart(x=x, y=y, title=title, log_x=True, mark=known[-1][0])


def _told(plan: DataPlan) -> Iterator[list[str | tuple[str, str]]]:
    double, fourfold = plan.ahead
    yield [
        "With twice as many positives expect an average precision of ",
        (_interval(double), "bold"),
        f", with four times as many {_interval(fourfold)}. More than "
        f"{number(1 - fourfold.low)} is out of reach by more of the same up to there; beyond "
        "four times nothing is foretold.",
    ]
    before = "would have" if plan.foretold else "would not have"
    yield [
        "Back-test: the first three points ",
        (before, "bold green" if plan.foretold else "bold red"),
        f" foretold the last ({_interval(plan.back_test)}; it was "
        f"{number(float(np.mean(plan.points[-1].average_precision)))}).",
        "" if plan.foretold else " Trust the interval less than it says.",
    ]
    if plan.judged_by < FEW:
        yield [
            f"Validation holds {plan.judged_by} positives, too few to judge by: another validation "
            "set would have drawn another curve."
        ]
    if len(plan.points[0].average_precision) < 2:
        yield ["One training a point shows no spread: the interval is too narrow. Use --seeds 3."]
