"""A dataset's summary as tables for a terminal."""

from rich.console import Group, RenderableType
from rich.padding import Padding

from raresight.pipeline.commands.inspect import MAX_VALUES, Summary, TextFactor
from raresight.pipeline.terminal.tables import PlainTable, facts, titled_table


def render(summary: Summary) -> RenderableType:
    """The summary as tables for a terminal."""
    tables = [_facts_table(summary), _parts_table(summary)]
    if summary.factors:
        tables.append(_factors_table(summary))
    if summary.difficulty is not None:
        tables.append(_difficulty_table(summary))
    return Group(tables[0], *(Padding(table, (1, 0, 0, 0)) for table in tables[1:]))


def _facts_table(summary: Summary) -> PlainTable:
    height, width, channels = summary.image_shape
    share = f" ({summary.masked / summary.rows:.1%})" if summary.rows else ""
    table = facts()
    table.add_row("dataset", summary.folder)
    table.add_row("rows", f"{summary.rows:,}")
    table.add_row("images", f"{height} x {width} x {channels}, {summary.dtype}")
    table.add_row("with mask", f"{summary.masked:,}{share}")
    table.add_row("on disk", f"{summary.bytes / 1e6:,.1f} MB")
    return table


def _parts_table(summary: Summary) -> PlainTable:
    table = titled_table("Rows")
    table.add_column("class", no_wrap=True)
    table.add_column("origin")
    for heading in ("originals", "copies", "share"):
        table.add_column(heading, justify="right")
    groups = dict.fromkeys((part.label, part.origin) for part in summary.parts)
    for label, origin in groups:
        here = [part for part in summary.parts if (part.label, part.origin) == (label, origin)]
        originals = sum(part.rows for part in here if part.variant == 0)
        copies = sum(part.rows for part in here if part.variant > 0)
        name = f"{label} (positive)" if label == summary.positive else label
        share = f"{(originals + copies) / summary.rows:.2%}"
        table.add_row(name, origin, f"{originals:,}", f"{copies:,}", share)
    return table


def _factors_table(summary: Summary) -> PlainTable:
    table = titled_table("Factors")
    table.add_column("factor", no_wrap=True)
    for heading in ("known", "low", "mean", "high"):
        table.add_column(heading, justify="right")
    table.add_column("values")
    for name, factor in summary.factors.items():
        known = f"{factor.known:,}"
        if isinstance(factor, TextFactor):
            table.add_row(name, known, "", "", "", _listed(factor))
        elif factor.known:
            figures = (f"{value:.4g}" for value in (factor.low, factor.mean, factor.high))
            table.add_row(name, known, *figures, "")
        else:
            table.add_row(name, known, "", "", "", "")
    return table


def _difficulty_table(summary: Summary) -> PlainTable:
    of = "every class" if summary.positive is None else f"'{summary.positive}'"
    title = f"What makes images of {of} hard for the texture baseline (out of fold)"
    table = titled_table(title)
    table.add_column("factor", no_wrap=True)
    table.add_column("correlation", justify="right")
    table.add_column("harder")
    table.add_column("images", justify="right")
    for effect in summary.difficulty or ():
        strength = f"{effect.strength:.2f}"
        table.add_row(effect.factor, strength, effect.harder, f"{effect.images:,}")
    return table


def _listed(factor: TextFactor) -> str:
    if factor.different > MAX_VALUES:
        return f"{factor.different:,} different, such as {next(iter(factor.counts))}"
    return ", ".join(f"{value} {count:,}" for value, count in factor.counts.items())
