"""Commands about training that train nothing: its schedule and its network."""

from dataclasses import asdict
from pathlib import Path

import click

from pipeline.cli.group import Settings, print_result, say


@click.command()
@click.option("--plot", type=click.Path(path_type=Path), help="Draw it into this file, too (PNG).")
@click.option(
    "--steps-per-epoch",
    type=click.IntRange(min=1),
    help="Counted from the splits if not given; 100 where there are none.",
)
@click.pass_obj
def schedule(settings: Settings, plot: Path | None, steps_per_epoch: int | None) -> None:
    """Draw the learning rate over a training, without training."""
    from pipeline.stages.schedule import run
    from pipeline.terminal.training import render_schedule

    curve = run(settings.params, settings.data, plot=plot, steps_per_epoch=steps_per_epoch)
    print_result(settings, asdict(curve), lambda _: render_schedule(curve))
    if plot is not None:
        say(settings, f"wrote {plot}")


@click.command()
@click.pass_obj
def model(settings: Settings) -> None:
    """Show the network: layers, parameters, MACs and activation memory."""
    from pipeline.stages.model import run
    from pipeline.terminal.training import render_model

    summary = run(settings.params)
    print_result(settings, asdict(summary), lambda _: render_model(summary))


COMMANDS = (schedule, model)
