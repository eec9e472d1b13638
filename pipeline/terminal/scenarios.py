"""The scenarios, and which of them params.yaml is."""

from raresight.pipeline.commands.scenarios import Scenario
from raresight.pipeline.terminal.tables import PlainTable, titled_table


def render(scenarios: list[Scenario]) -> PlainTable:
    """The scenarios as a rich table; an arrow marks the one in use."""
    table = titled_table("")
    table.add_column("")
    table.add_column("scenario", style="cyan", no_wrap=True)
    table.add_column("what it is")
    for scenario in scenarios:
        table.add_row("->" if scenario.in_use else "", scenario.name, scenario.summary)
    return table
