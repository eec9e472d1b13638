"""The look that tables in the terminal share."""

from rich import box
from rich.table import Table


def titled_table(title: str) -> Table:
    """A table without a frame, its title in bold above the left edge."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
    )
