"""generators: what can be drawn."""

from typing import TYPE_CHECKING, Any

from generators import GENERATORS

if TYPE_CHECKING:
    from rich.table import Table


def run() -> list[dict[str, Any]]:
    """Name, summary, classes (where the options do not decide them) and factors of each generator."""
    return [
        {
            "name": name,
            "summary": kind.summary,
            "classes": _classes(kind),
            "factors": {factor: meaning for factor, (_, meaning) in kind.factors.items()},
        }
        for name, kind in GENERATORS.items()
    ]


def _classes(kind: type) -> list[str]:
    if not kind.countable:
        return ["one a subfolder"]
    return list(kind(kind.options(), 64).classes)


def render(found: list[dict[str, Any]]) -> "Table":
    """The generators as a rich table."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", show_lines=True)
    table.add_column("generator", style="cyan", no_wrap=True)
    table.add_column("draws")
    table.add_column("factors")
    for one in found:
        factors = "\n".join(f"{name}: {meaning}" for name, meaning in one["factors"].items())
        table.add_row(one["name"], f"{one['summary']}\n[{', '.join(one['classes'])}]", factors)
    return table
