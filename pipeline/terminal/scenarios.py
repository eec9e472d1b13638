"""The scenarios, and which of them params.yaml is."""

from rich import box
from rich.table import Table

from raresight.pipeline.commands.scenarios import Scenario


def render(scenarios: list[Scenario]) -> Table:
    """The scenarios as a rich table; an arrow marks the one in use."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("")
    table.add_column("scenario", style="cyan", no_wrap=True)
    table.add_column("what it is")
    for scenario in scenarios:
        table.add_row("->" if scenario.in_use else "", scenario.name, scenario.summary)
    return table
