"""The group that every command belongs to: global options, errors, and how results are printed."""

import logging
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from raresight.pipeline import __version__
from raresight.pipeline.runtime.errors import message_and_code


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options that stand before the command."""

    params: Path
    data: Path
    json: bool
    verbosity: int


class ErrorEdge(click.Group):
    """The one place where an exception becomes a message and an exit code.

    DVC shows little more than a stage's last line on stderr, so the message comes last.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of the work, not of the alphabet

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except click.NoSuchOption as error:
            if any(error.option_name in option.opts for option in self.params):
                hint = f"'{error.option_name}' is a global option: write it before the command."
                raise click.UsageError(hint, error.ctx) from None
            raise
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except BaseException as error:
            if (ending := message_and_code(error)) is None:
                raise
            message, code = ending
            if ctx.params["debug"]:
                traceback.print_exception(error)
            click.echo(f"error: {message}", err=True)
            ctx.exit(code)


@click.group(cls=ErrorEdge, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--params",
    type=click.Path(path_type=Path),
    default="params.yaml",
    show_default=True,
    help="The knobs, one section a stage.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default="data",
    show_default=True,
    help="Folder that the stages read and write.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, for programs.")
@click.option("-v", "--verbose", is_flag=True, help="Say more on stderr: each file written.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr, errors only.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="raresight", message="%(prog)s %(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    params: Path,
    data: Path,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    debug: bool,
) -> None:
    """Draw, enlarge, split, train on and honestly judge images of a rare class.

    `dvc repro` runs the stages in order, and only those that need it.
    """
    if verbose and quiet:
        raise click.UsageError("-v and -q exclude each other.")
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    verbosity = verbose - quiet
    os.environ["RARESIGHT_VERBOSITY"] = str(verbosity)
    level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}[verbosity]
    logging.basicConfig(level=level, format="%(levelname)s: %(message)s")
    ctx.obj = Settings(params=params, data=data, json=as_json, verbosity=verbosity)


workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Processes; all cores if not given."
)
executor_option = click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where shards are made; the bytes are the same.",
)
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)


def tell(settings: Settings, text: str) -> None:
    """Tell the person on stderr, unless --quiet."""
    if settings.verbosity >= 0:
        click.echo(text, err=True)


def print_result(settings: Settings, plain: Any, render: Callable[[Any], Any]) -> None:
    """Print on stdout: ``plain`` as JSON where asked for, else what ``render`` makes of it."""
    if settings.json:
        print_json(plain)
        return
    from rich.console import Console

    Console(highlight=False).print(render(plain))


def print_json(value: Any) -> None:
    """Print on stdout, for a program."""
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
