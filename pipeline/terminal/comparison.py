"""Two versions beside each other, for a terminal and (as Markdown) for a pull request."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from raresight.pipeline.comparison.report import Report
from raresight.pipeline.comparison.sides import MODELS, RECIPES
from raresight.pipeline.comparison.verdicts import BETTER, INCONCLUSIVE, WORSE, Difference
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.terminal.tables import titled_table
from raresight.pipeline.wording.numbers import DASH, count, number

_STYLES = {BETTER: "bold green", WORSE: "bold red", INCONCLUSIVE: "yellow"}
_TAKES = "sample size needed"
_MOST_PARAMS = 20
_WIDEST = 32  # of a column: names of revisions and values of params may be long
_MOST_TIMES = 1000  # beyond it, no test set that anyone would draw settles anything
MINUS = "\N{MINUS SIGN}"


def render(report: Report) -> RenderableType:
    """The verdict, what was changed, and a row a metric. Fits a terminal of 80 columns."""
    leading = report.comparison.differences[0]
    headline = Text.assemble(
        f"{report.new} against {report.old}: ",
        (f"{METRICS[leading.name].label} {leading.verdict}", _STYLES[leading.verdict]),
        f" ({_values(leading)}; {_shift(leading)}).{_of_models(leading)}",
    )
    parts: list[RenderableType] = [Padding(headline, (1, 0))]
    parts += [_params(report), _metrics(report)]
    lines = [*_mistakes(report), *report.notes]
    parts += [Padding(Text(line), (1, 0, 0, 0)) for line in lines]
    return Padding(Group(*parts), (0, 0, 1, 0))


def _params(report: Report) -> RenderableType:
    if not report.params:
        return Text("The params are the same.", style="dim")
    table = _table("Params that differ", ("", report.old, report.new))
    shown = list(report.params.items())[:_MOST_PARAMS]
    for key, values in shown:
        table.add_row(Text(key), *(Text(_param(value)) for value in values))
    if more := len(report.params) - len(shown):
        table.add_row(Text(f"and {more} more", style="dim"), "", "")
    return table


def _metrics(report: Report) -> RenderableType:
    columns = ("", report.old, report.new, "difference", _verdict(report), _TAKES)
    table = _table(_title(report), columns)
    for place in (1, 2, 3, 5):
        table.columns[place].justify = "right"
    for place in (0, 3, 4, 5):
        table.columns[place].no_wrap = True
    for found in report.comparison.differences:
        title, old, new, difference, interval, verdict, takes = _row(found, report)
        cell = Text(difference)
        if interval:
            cell.append(f"\n{interval}", style="dim")
        narrow = "\n".join(title.rsplit(" ", 1))  # a row has two lines anyway
        told = Text(verdict, style=_STYLES[verdict])
        table.add_row(narrow, old, new, cell, told, takes.replace(" or ", "\nor "))
    return Padding(table, (1, 0, 0, 0))


def _verdict(report: Report) -> str:
    """What the column of verdicts is about."""
    return "these models" if report.about == MODELS else "verdict"


def _table(title: str, columns: Sequence[str]) -> Table:
    table = titled_table(title)
    for name in columns:
        table.add_column(Text(name), overflow="fold", max_width=_WIDEST)
    return table


def markdown(report: Report) -> str:
    """The same as Markdown: a paragraph, two tables and the notes."""
    leading = report.comparison.differences[0]
    paragraphs = [
        f"**{_code(report.new)} against {_code(report.old)}: "
        f"{METRICS[leading.name].label} {leading.verdict}** ({_values(leading)}; {_shift(leading)})"
        f".{_of_models(leading)}"
    ]
    if report.params:
        rows = [
            (_code(key), *(_code(_param(value)) for value in values))
            for key, values in report.params.items()
        ]
        paragraphs.append(_pipes(("param", _code(report.old), _code(report.new)), rows))
    header = ("metric", _code(report.old), _code(report.new), "difference", _verdict(report))
    rows = []
    for found in report.comparison.differences:
        title, old, new, difference, interval, verdict, takes = _row(found, report)
        between = f"{difference} [{interval}]" if interval else difference
        bold = verdict if verdict == INCONCLUSIVE else f"**{verdict}**"
        rows.append((title, old, new, between, bold, takes))
    paragraphs += [_title(report), _pipes((*header, _TAKES), rows)]
    paragraphs += [*_mistakes(report), *report.notes]
    return "\n\n".join(paragraphs) + "\n"


def _pipes(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _code(text: str) -> str:
    return f"`{text}`"


def _row(found: Difference, report: Report) -> tuple[str, ...]:
    return (
        METRICS[found.name].label,
        number(found.old),
        number(found.new),
        _signed(found.difference),
        _interval(found),
        found.ruling,
        _takes(found, report),
    )


def _of_models(found: Difference) -> str:
    """What is known of the two models, where nothing is of the recipes."""
    if found.models is None:
        return ""
    if found.models == INCONCLUSIVE:
        return " Not even these two models can be told apart."
    return f" This model is {found.models} on these images; trained once, that may be luck."


def _values(found: Difference) -> str:
    return f"{number(found.old)} to {number(found.new)}"


def _shift(found: Difference) -> str:
    if not _interval(found):
        return found.reason or ""
    return f"difference {_signed(found.difference)} [{_interval(found)}]"


def _interval(found: Difference) -> str:
    return "" if found.low is None else f"{_signed(found.low)} to {_signed(found.high)}"


def _signed(value: float | None) -> str:
    if value is None:
        return DASH
    text = f"{abs(value):.3f}" if abs(value) >= 0.0005 or value == 0 else f"{abs(value):.1g}"
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{text}"


def _title(report: Report) -> str:
    total = sum(report.counts.values())
    images = "perturbed test images" if report.on == "perturbed" else "test images"
    text = f"On the same {count(total)} {images}"
    if report.positive is not None:
        text += f", {count(report.counts[report.positive])} of them '{report.positive}'"
    if report.about == RECIPES:
        text += f"; {report.num_seeds[0]} and {report.num_seeds[1]} trainings"
    return f"{text} ({100 * report.confidence:g} % intervals)"


def _takes(found: Difference, report: Report) -> str:
    """How many images, or trainings of each version, it would take to settle it."""
    ways = []
    if found.sample_size_factor is not None and found.sample_size_factor <= _MOST_TIMES:
        unit = "image" if report.positive is None else "positive"
        counts = report.counts
        now = sum(counts.values()) if report.positive is None else counts[report.positive]
        ways.append(_plural(max(now + 1, round(now * found.sample_size_factor)), unit))
    if found.trainings is not None:
        ways.append(_plural(found.trainings, "training"))
    if ways or found.ruling != INCONCLUSIVE:
        return " or ".join(ways)
    if not found.difference or found.low is None:
        return DASH
    return "too alike" if report.about != RECIPES or found.sample_size_factor else "more of both"


def _plural(number: int, unit: str) -> str:
    return f"{count(number)} {unit}{'s' * (number != 1)}"


def _mistakes(report: Report) -> Iterator[str]:
    found = report.comparison.mistakes
    first = " (first trainings)" if max(report.num_seeds) > 1 else ""
    yield (
        f"Mistakes of {report.old} fixed by {report.new}{first}: {count(found.fixed)}; regressed: "
        f"{count(found.regressed)}; wrong in both: {count(found.both)} "
        f"(McNemar's exact test: p = {found.p_value:.2g})."
    )


def _param(value: Any) -> str:
    return DASH if value is None else str(value)
