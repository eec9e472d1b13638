"""A training's diagnosis, for a terminal."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from raresight.pipeline.commands.diagnose import Finding


def render(findings: Sequence[Finding]) -> RenderableType:
    """The cause, its inputs and the advice, for each replicate."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    for finding in findings:
        if len(findings) > 1:
            table.add_row("replicate", f"{finding.replicate}")
        table.add_row("diagnosis", f"[bold]{finding.cause}[/]")
        table.add_row("because", escape(finding.inputs))
        table.add_row("to do", escape(finding.advice))
    return table
