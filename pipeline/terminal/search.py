"""A search for a learning rate, for a terminal."""

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from raresight.pipeline.commands.find_lr import Found
from raresight.pipeline.terminal.chart import Chart
from raresight.pipeline.terminal.tables import titled_table


def render(found: Found) -> RenderableType:
    """The range test as a curve, the trials as a table, and what to write into params.yaml."""
    search = found.search
    chart = Chart(
        x=search.rates.tolist(),
        y=search.smooth.tolist(),
        title="Range test: smoothed training loss over the learning rate",
        log_x=True,
        mark=min(max(search.suggestion, search.rates[0]), search.rates[-1]),
    )
    table = titled_table(f"Trials of {search.steps} steps from the same weights")
    table.add_column("learning rate", justify="right")
    table.add_column("loss at the end", justify="right")
    for rate, loss in search.trials.items():
        style = "bold green" if rate == search.suggestion else ""
        table.add_row(
            f"{rate:.2g}", f"{loss:.3f}" if np.isfinite(loss) else "diverged", style=style
        )
    stable = "every rate" if found.stable is None else f"{found.stable:.2g}"
    return Group(
        chart,
        "",
        table,
        f"The loss breaks out at {search.breaks_at:.2g}. Plain gradient descent is stable up to "
        f"{stable} at the initial weights (2 / sharpness, which is {found.sharpness:.3g}).",
        Text.assemble(
            (f"train.optimizer.learning_rate: {search.suggestion:g}", "bold"),
            f" is suggested for {found.optimizer}; params.yaml has {found.present:g}.",
        ),
    )
