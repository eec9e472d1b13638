"""The look that tables in the terminal share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from raresight.pipeline.runtime.visible import visible


class PlainTable(Table):
    """A table that prints text as it is: square brackets in it are no markup.

    Names of classes, factors, files and revisions come from outside.
    """

    def add_column(self, header: RenderableType = "", *args: Any, **options: Any) -> None:
        super().add_column(_plain(header), *args, **options)

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        super().add_row(*map(_plain, cells), **options)


def _plain(cell: RenderableType | None) -> Any:
    return Text(visible(cell)) if isinstance(cell, str) else cell


def facts() -> PlainTable:
    """What is known of something, a row a fact: its name, dim, and what follows."""
    table = PlainTable(box=None, show_header=False, padding=(0, 2), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    return table


def titled_table(title: str) -> PlainTable:
    """A table without a frame, its title in bold above the left edge."""
    return PlainTable(
        title=Text(title, style="bold", justify="left") if title else None,
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
    ``texts`` are the columns that stand to the left of their column.
    """

    title: str
    corner: str
    columns: Sequence[Text | str]
    rows: Sequence[Row]
    texts: Sequence[str] = ()

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

    def _part(self, title: str, start: int, end: int) -> PlainTable:
        table = titled_table(title)
        table.add_column(self.corner, no_wrap=True)
        for header in self.columns[start:end]:
            left = str(header) in self.texts
            table.add_column(header, justify="left" if left else "right", no_wrap=True)
        for row in self.rows:
            table.add_row(row.name, *row.cells[start:end], style=row.style)
        return table
