"""A training before it is run, in a terminal: its learning rate, and its network."""

from rich.console import Group
from rich.text import Text

from raresight.pipeline.terminal.chart import line
from raresight.pipeline.terminal.tables import PlainTable, facts, titled_table
from raresight.pipeline.tuning.model_summary import ModelSummary
from raresight.pipeline.tuning.rate_curve import RateCurve


def render_schedule(curve: RateCurve) -> Text:
    """The rate over epochs."""
    note = f", {curve.note}" if curve.note else ""
    title = f"learning rate by epoch of {curve.steps_per_epoch} steps: {curve.schedule}{note}"
    return line(curve.epochs, curve.rates, title=title)


def render_model(summary: ModelSummary) -> Group:
    """A row a layer that has weights, and what they come to."""
    table = titled_table(f"{summary.model}, one image of {' x '.join(map(str, summary.input))}")
    table.add_column("layer", style="cyan", overflow="fold")
    table.add_column("kind")
    for heading in ("output", "parameters", "MACs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for layer in summary.layers:
        shape = " x ".join(map(str, layer.output))
        macs = f"{layer.macs:,}" if layer.macs else ""
        table.add_row(layer.name, layer.kind, shape, f"{layer.parameters:,}", macs)
    return Group(table, _facts(summary))


def _facts(summary: ModelSummary) -> PlainTable:
    table = facts()
    table.add_column(justify="right")
    frozen = summary.parameters - summary.trained
    table.add_row("parameters", f"{summary.parameters:,}", f"{frozen:,} frozen" if frozen else "")
    table.add_row(
        "MACs an image", f"{summary.macs:,}", "forward; a training step takes three times"
    )
    kept = f"{summary.activation_bytes / 1e6:,.2f} MB"
    table.add_row("activations an image", kept, "kept for the backward pass, in float32")
    return table
