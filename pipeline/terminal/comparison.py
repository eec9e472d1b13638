"""Two versions beside each other, for a terminal and (as Markdown) for a pull request."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from raresight.pipeline.comparison.report import Report
from raresight.pipeline.comparison.sides import MODELS, RECIPES
from raresight.pipeline.comparison.verdicts import (
    BETTER,
    IDENTICAL,
    INCONCLUSIVE,
    UNKNOWN,
    WORSE,
    Difference,
)
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.terminal.tables import PlainTable, Row, WideTable, titled_table
from raresight.pipeline.wording.comparison import (
    adjustment,
    answers,
    interval,
    method,
    mistakes,
    others,
    signed,
    subject,
)
from raresight.pipeline.wording.numbers import DASH, count, level, number

_STYLES = {
    BETTER: "bold green",
    WORSE: "bold red",
    INCONCLUSIVE: "yellow",
    UNKNOWN: "yellow",
    IDENTICAL: "bold",
}
_TAKES = "sample size needed"
_MOST_PARAMS = 20
_WIDEST = 32  # of a column: names of revisions and values of params may be long
_WIDEST_REVISION = 16
_WIDEST_KEY = 28
_MOST_TIMES = 1000  # beyond it, no test set that anyone would draw settles anything


def render(report: Report) -> RenderableType:
    """The verdict, what was changed, and a row a metric. Fits a terminal of 80 columns."""
    headline = PlainTable(box=None, show_header=False, padding=(0, 2), pad_edge=False)
    headline.add_column(no_wrap=True)
    headline.add_column(overflow="fold")
    for answer in answers(report):
        told = Text.assemble((answer.word, _STYLES.get(answer.word, "bold")), f": {answer.more}")
        headline.add_row(Text(f"  {answer.question}"), told)
    parts: list[RenderableType] = [Padding(Text(subject(report)), (1, 0, 0, 0)), headline]
    if found := others(report):
        parts.append(Text(found))
    if report.params is not None:
        parts.append(Padding(_params(report.params, report), (1, 0, 0, 0)))
    parts += [_metrics(report), Text(adjustment(report), style="dim")]
    lines = [*mistakes(report), *report.notes, *method(report)]
    parts += [Padding(Text(line), (1, 0, 0, 0)) for line in lines]
    return Padding(Group(*parts), (0, 0, 1, 0))


def _params(params: Mapping[str, tuple[Any, Any]], report: Report) -> RenderableType:
    if not params:
        return Text("The params are the same.", style="dim")
    table = _table("Params that differ", ("", report.old, report.new))
    shown = list(params.items())[:_MOST_PARAMS]
    for key, values in shown:
        name = key if len(key) <= _WIDEST_KEY else ".\n".join(key.rsplit(".", 1))
        table.add_row(name, *(Text(_param(value)) for value in values))
    if more := len(params) - len(shown):
        table.add_row(Text(f"and {more} more", style="dim"), "", "")
    return table


def _metrics(report: Report) -> RenderableType:
    rows = []
    for found in report.comparison.differences:
        title, old, new, difference, between, verdict, p, takes = _row(found, report)
        cell = Text(difference)
        if between:
            cell.append(f"\n{between}", style="dim")
        narrow = "\n".join(title.rsplit(" ", 1))  # a row has two lines anyway
        told = Text(verdict, style=_STYLES[verdict])
        if p:
            told.append(f"\n{p}", style="not bold dim")
        takes = takes.replace(" or ", "\nor ")
        rows.append(Row(name=narrow, cells=[old, new, cell, told, takes]))
    table = WideTable(
        title=_title(report),
        corner="",
        columns=[
            *map(_folded, (report.old, report.new)),
            "difference",
            _verdict(report),
            _TAKES.replace(" n", "\nn"),
        ],
        rows=rows,
        texts=(_verdict(report),),
    )
    return Padding(table, (1, 0, 0, 0))


def _folded(revision: str) -> str:
    """A long name in lines that leave room for numbers."""
    return "\n".join(wrap(revision, _WIDEST_REVISION, break_on_hyphens=True)) or revision


def _verdict(report: Report) -> str:
    """What the column of verdicts is about."""
    return "these models" if report.about == MODELS else "verdict"


def _table(title: str, columns: Sequence[str]) -> PlainTable:
    table = titled_table(title)
    for name in columns:
        table.add_column(Text(name), overflow="fold", max_width=_WIDEST)
    table.columns[0].no_wrap, table.columns[0].max_width = True, None
    return table


def markdown(report: Report) -> str:
    """The same as Markdown: the answers, two tables and the notes."""
    listed = [
        f"- {answer.question}: **{answer.word}**: {answer.more}" for answer in answers(report)
    ]
    paragraphs = [f"**{subject(report)}**", "\n".join(listed), others(report)]
    if report.params:
        rows = [
            (_code(key), *(_code(_param(value)) for value in values))
            for key, values in report.params.items()
        ]
        paragraphs.append(_pipes(("param", _code(report.old), _code(report.new)), rows))
    header = ("metric", _code(report.old), _code(report.new), "difference", _verdict(report))
    rows = []
    for found in report.comparison.differences:
        title, old, new, difference, between, verdict, p, takes = _row(found, report)
        shift = f"{difference} [{between}]" if between else difference
        bold = f"**{verdict}**" if verdict in (BETTER, WORSE) else verdict
        rows.append((title, old, new, shift, f"{bold} ({p})" if p else bold, takes))
    paragraphs += [_title(report), _pipes((*header, _TAKES), rows), adjustment(report)]
    paragraphs += [*mistakes(report), *report.notes, *method(report)]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


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
        signed(found.difference),
        interval(found),
        found.ruling,
        "" if found.p_adjusted is None else f"p = {found.p_adjusted:.2g}",
        _takes(found, report),
    )


def _title(report: Report) -> str:
    total = sum(report.counts.values())
    images = "perturbed test images" if report.on == "perturbed" else "test images"
    text = f"On the same {count(total)} {images}"
    if report.positive is not None:
        text += f", {count(report.counts[report.positive])} of them '{report.positive}'"
    if report.about == RECIPES:
        text += f"; {report.num_seeds[0]} and {report.num_seeds[1]} trainings"
    return f"{text} ({level(report.confidence)} intervals)"


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


def _param(value: Any) -> str:
    return DASH if value is None else str(value)
