"""A training before it is run, in a terminal: its learning rate, and its network."""

from rich.console import Group

from raresight.pipeline.terminal.chart import Chart
from raresight.pipeline.terminal.tables import PlainTable, Row, WideTable, facts
from raresight.pipeline.tuning.model_summary import ModelSummary
from raresight.pipeline.tuning.rate_curve import RateCurve


def render_schedule(curve: RateCurve) -> Chart:
    """The rate over epochs."""
    note = f", {curve.note}" if curve.note else ""
    title = f"learning rate by epoch of {curve.steps_per_epoch} steps: {curve.schedule}{note}"
    return Chart(x=curve.epochs, y=curve.rates, title=title)


def render_model(summary: ModelSummary) -> Group:
    """A row a layer that has weights, and what they come to."""
    rows = []
    for layer in summary.layers:
        shape = " x ".join(map(str, layer.output))
        macs = f"{layer.macs:,}" if layer.macs else ""
        rows.append(Row(name=layer.name, cells=[f"{layer.parameters:,}", macs, shape, layer.kind]))
    table = WideTable(
        title=f"{summary.model}, one image of {' x '.join(map(str, summary.input))}",
        corner="layer",
        columns=["parameters", "MACs", "output", "kind"],
        rows=rows,
        texts=("kind",),
    )
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
