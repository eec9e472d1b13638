"""What can be drawn: generators, their classes and factors."""

from rich.text import Text

from raresight.pipeline.commands.generators import Entry
from raresight.pipeline.runtime.installation import as_installed
from raresight.pipeline.terminal.tables import PlainTable, titled_table


def render(entries: list[Entry]) -> PlainTable:
    """The generators as a rich table, one block each."""
    table = titled_table("")
    table.add_column("generator", style="cyan", no_wrap=True)
    table.add_column("factor", no_wrap=True)
    table.add_column("meaning")
    for entry in entries:
        table.add_row(entry.name, "", _entry_text(entry))
        for factor, meaning in entry.factors.items():
            table.add_row("", factor, Text(meaning, style="dim"))
        table.add_section()
    return table


def _entry_text(entry: Entry) -> Text:
    if entry.problem is not None:
        return Text(as_installed(entry.problem), style="red")
    shares = [f"{label} {share:.3g}" for label, share in sorted((entry.prevalence or {}).items())]
    classes = ", ".join(shares) or "from its options"
    return Text.assemble((entry.summary, "bold"), f"\nclasses and natural shares: {classes}")
