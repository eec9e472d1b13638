"""The doctor's findings as a table."""

from collections.abc import Sequence

from rich.text import Text

from raresight.pipeline.doctor.finding import Finding
from raresight.pipeline.terminal.tables import PlainTable, facts

_STYLES = {"ok": "green", "note": "yellow", "wrong": "bold red", "repaired": "bold green"}


def render(found: Sequence[Finding]) -> PlainTable:
    """A line a finding: what was looked at, how it is, and what that means."""
    table = facts()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in found:
        fixable = " (`raresight doctor --fix` repairs it)" if one.repair is not None else ""
        table.add_row(one.check, Text(one.state, style=_STYLES[one.state]), f"{one.said}{fixable}")
    return table
