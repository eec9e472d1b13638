"""generators: what can be drawn, for the one who writes ``generate.sources``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError
from rich.markup import escape

from raresight.generators import registry
from raresight.generators.base import Generator

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A generator as listed; ``prevalence`` has the classes of its default options with their
    natural shares, None where they depend on options that have no default. ``factors`` maps each
    factor to what it means. ``problem`` says why another package's generator cannot be used."""

    name: str
    summary: str
    classes: tuple[str, ...] | None
    prevalence: Mapping[str, float] | None
    factors: Mapping[str, str]
    problem: str | None = None


def run() -> list[Entry]:
    """Every generator that params.yaml can name, by name."""
    return [_entry(name) for name in sorted(registry.names())]


def _entry(name: str) -> Entry:
    try:
        generator = registry.find(name)
    except registry.BadGenerator as error:
        return Entry(
            name=name, summary="", classes=None, prevalence=None, factors={}, problem=str(error)
        )
    shares = _default_prevalence(generator)
    return Entry(
        name=name,
        summary=generator.summary,
        classes=tuple(sorted(shares)) if shares else None,
        prevalence=shares,
        factors={factor: meaning for factor, (_, meaning) in generator.factors.items()},
    )


def _default_prevalence(generator: type[Generator]) -> Mapping[str, float] | None:
    try:
        return generator(generator.options(), 64).shares()
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
        table.add_row(entry.name, "", _about(entry))
        for factor, meaning in entry.factors.items():
            table.add_row("", factor, f"[dim]{meaning}[/dim]")
        table.add_section()
    return table


def _about(entry: Entry) -> str:
    if entry.problem is not None:
        return f"[red]{escape(entry.problem)}[/red]"
    shares = [f"{label} {share:.3g}" for label, share in sorted((entry.prevalence or {}).items())]
    classes = ", ".join(shares) or "from its options"
    return f"[bold]{escape(entry.summary)}[/bold]\nclasses and natural shares: {classes}"
