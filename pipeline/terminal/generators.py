"""What can be drawn: generators, their classes and factors."""

from rich import box
from rich.markup import escape
from rich.table import Table

from raresight.pipeline.commands.generators import Entry


def render(entries: list[Entry]) -> Table:
    """The generators as a rich table, one block each."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("generator", style="cyan", no_wrap=True)
    table.add_column("factor", no_wrap=True)
    table.add_column("meaning")
    for entry in entries:
        table.add_row(entry.name, "", _entry_text(entry))
        for factor, meaning in entry.factors.items():
            table.add_row("", factor, f"[dim]{meaning}[/dim]")
        table.add_section()
    return table


def _entry_text(entry: Entry) -> str:
    if entry.problem is not None:
        return f"[red]{escape(entry.problem)}[/red]"
    shares = [f"{label} {share:.3g}" for label, share in sorted((entry.prevalence or {}).items())]
    classes = ", ".join(shares) or "from its options"
    return f"[bold]{escape(entry.summary)}[/bold]\nclasses and natural shares: {classes}"
