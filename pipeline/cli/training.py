"""Commands about a training: its schedule, its network, its learning rate, what it showed."""

from dataclasses import asdict
from pathlib import Path

import click

from raresight.pipeline.cli.command import Settings, command
from raresight.pipeline.cli.group import device_option, print_result, tell


@command(example="schedule --plot rate.png")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw it into this file, too (PNG).")
@click.option(
    "--steps-per-epoch",
    type=click.IntRange(min=1),
    help="Counted from the splits if not given; 100 where there are none.",
)
@click.pass_obj
def schedule(settings: Settings, plot: Path | None, steps_per_epoch: int | None) -> None:
    """Draw the learning rate over a training, without training."""
    from raresight.pipeline.commands.schedule import run
    from raresight.pipeline.terminal.training import render_schedule

    curve = run(settings.params, settings.data, plot=plot, steps_per_epoch=steps_per_epoch)
    print_result(settings, asdict(curve), lambda _: render_schedule(curve))
    if plot is not None:
        tell(settings, f"wrote {plot}")


@command(example="model")
@click.pass_obj
def model(settings: Settings) -> None:
    """Show the network: layers, parameters, MACs and activation memory."""
    from raresight.pipeline.commands.model import run
    from raresight.pipeline.terminal.training import render_model

    summary = run(settings.params)
    print_result(settings, asdict(summary), lambda _: render_model(summary))


@command("find-lr", example="find-lr --steps 150")
@device_option
@click.option(
    "--steps", type=click.IntRange(min=20), default=150, show_default=True, help="Of each trial."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the search (PNG).")
@click.pass_obj
def find_lr(settings: Settings, device: str, steps: int, plot: Path | None) -> None:
    """Suggest a learning rate, by a range test and short trials."""
    from raresight.pipeline.commands.find_lr import run
    from raresight.pipeline.terminal.search import render

    found = run(settings.params, settings.data, device=device, steps=steps, plot=plot)
    print_result(settings, found.as_json(), lambda _: render(found))
    if plot is not None:
        tell(settings, f"wrote {plot}")


@command(example="diagnose")
@click.pass_obj
def diagnose(settings: Settings) -> None:
    """Say what the last training's curves mean, and what to change."""
    from raresight.pipeline.commands.diagnose import run
    from raresight.pipeline.terminal.diagnosis import as_json, render

    findings = run(settings.data)
    print_result(settings, as_json(findings), lambda _: render(findings))


COMMANDS = (schedule, model, find_lr, diagnose)
