"""The look that tables in the terminal share."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text


def titled_table(title: str) -> Table:
    """A table without a frame, its title in bold above the left edge."""
    return Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
    )


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row's name and its cells, one a column."""

    name: str
    cells: Sequence[Text | str]
    style: str = ""


@dataclass(frozen=True, kw_only=True)
class WideTable:
    """A table of numbers that goes on below, with the row names again, where it is too wide.

    The first columns come first, so the most important ones stand on top; names are never cut.
    """

    title: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(width=10_000)
        start, title = 0, self.title
        while start < len(self.columns):
            end = start + 1
            while end < len(self.columns):
                wider = console.measure(self._part(title, start, end + 1), options=wide)
                if wider.maximum > options.max_width:
                    break
                end += 1
            if start:
                yield ""
            yield self._part(title, start, end)
            start, title = end, ""

    def _part(self, title: str, start: int, end: int) -> Table:
        table = titled_table(title)
        table.add_column(self.corner, no_wrap=True)
        for header in self.columns[start:end]:
            table.add_column(header, justify="right", no_wrap=True)
        for row in self.rows:
            table.add_row(Text(row.name), *row.cells[start:end], style=row.style)
        return table
