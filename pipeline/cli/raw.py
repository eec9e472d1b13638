"""Commands that put real or recorded images below data/raw, for `generate` to read."""

from pathlib import Path

import click

from raresight.pipeline.cli.command import Settings, command
from raresight.pipeline.cli.group import tell

folder_argument = click.argument(
    "folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False)
)


@command(example="digits data/raw/digits", at_root=False)
@folder_argument
@click.pass_obj
def digits(settings: Settings, folder: Path) -> None:
    """Write scikit-learn's 1,797 scanned digits, one subfolder a class."""
    from raresight.pipeline.commands.digits import write_digits

    tell(settings, f"wrote {write_digits(folder):,} digits below {folder}")


@command(
    "carla-record", example="carla-record data/raw/street --staged --ticks 2000", at_root=False
)
@folder_argument
@click.option("--server", metavar="HOST:PORT", help="A CARLA server that runs.")
@click.option("--staged", is_flag=True, help="No server: the game engine's street stands in.")
@click.option("--ticks", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option(
    "--size", type=click.IntRange(min=8), default=64, show_default=True, help="Pixels a side."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--crossing",
    type=click.FloatRange(0, 1),
    default=0.15,
    show_default=True,
    help="Staged: share of the people meant to cross.",
)
@click.pass_obj
def carla_record(
    settings: Settings,
    folder: Path,
    server: str | None,
    staged: bool,
    ticks: int,
    size: int,
    seed: int,
    crossing: float,
) -> None:
    """Record a CARLA stream for the generator `carla` to read."""
    from raresight.pipeline.commands.carla_record import run

    if staged == (server is not None):
        raise click.UsageError("Give either --server HOST:PORT or --staged.")
    run(folder, server=server, ticks=ticks, size=size, seed=seed, crossing=crossing)
    tell(settings, f"wrote {ticks:,} ticks below {folder}")


COMMANDS = (digits, carla_record)
