"""generators: what can be drawn, for the one who writes ``generate.sources``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from generators import GENERATORS
from generators.base import Generator

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A generator as listed; ``classes`` are those of its default options, None where they depend
    on options that have no default. ``factors`` maps each factor to what it means."""

    name: str
    summary: str
    classes: tuple[str, ...] | None
    factors: Mapping[str, str]


def run() -> list[Entry]:
    """Every registered generator, by name."""
    return [
        Entry(
            name=name,
            summary=generator.summary,
            classes=_default_classes(generator),
            factors={factor: meaning for factor, (_, meaning) in generator.factors.items()},
        )
        for name, generator in sorted(GENERATORS.items())
    ]


def _default_classes(generator: type[Generator]) -> tuple[str, ...] | None:
    try:
        return generator(generator.options(), 64).classes
    except ValidationError:
        return None


def render(entries: list[Entry]) -> "Table":
    """The generators as a rich table, one block each."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("generator", style="cyan", no_wrap=True)
    table.add_column("factor", no_wrap=True)
    table.add_column("meaning")
    for entry in entries:
        classes = ", ".join(entry.classes) if entry.classes else "from its options"
        table.add_row(entry.name, "", f"[bold]{entry.summary}[/bold]")
        table.add_row("", "", f"classes: {classes}")
        for factor, meaning in entry.factors.items():
            table.add_row("", factor, f"[dim]{meaning}[/dim]")
        table.add_section()
    return table
