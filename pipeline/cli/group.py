"""The program: its global options and sections, errors, and how results are printed."""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import click

from raresight.pipeline import __version__
from raresight.pipeline.cli.command import Command, Settings, given, global_options
from raresight.pipeline.runtime import processes
from raresight.pipeline.runtime.errors import message_and_code
from raresight.pipeline.runtime.visible import visible


class Program(click.Group):
    """The one place where an exception becomes a message and an exit code.

    DVC shows little more than a stage's last line on stderr, so the message comes last.
    """

    def __init__(self, *args: Any, **attributes: Any):
        super().__init__(*args, **attributes)
        self.params[:0] = global_options(of_command=False)
        self.sections: dict[str, Sequence[click.Command]] = {}

    def add_section(self, title: str, commands: Sequence[click.Command]) -> None:
        """Add commands that --help shows together."""
        self.sections[title] = commands
        for one in commands:
            self.add_command(one)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of the work, not of the alphabet

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, self.commands))
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{one.name:<{widest}}", one.get_short_help_str(200)) for one in commands]
                )
        with formatter.section("Examples"):
            for commands in self.sections.values():
                first = next(one for one in commands if isinstance(one, Command))
                formatter.write_text(f"raresight {first.example}")

    def invoke(self, ctx: click.Context) -> Any:
        processes.begin_command()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except click.NoSuchOption as error:
            if told := _key_of_params(error):
                raise click.UsageError(told, error.ctx) from None
            raise
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except BaseException as raised:
            if (ending := message_and_code(processes.what_ends(raised))) is None:
                raise
            message, code = ending
            if given(ctx, "debug"):
                traceback.print_exception(raised)
            click.echo(f"error: {visible(message)}", err=True)
            ctx.exit(code)


def _key_of_params(error: click.NoSuchOption) -> str | None:
    """What to do instead, where an unknown option is a key of params.yaml (``train --epochs``)."""
    from raresight.pipeline.commands.schema import keys_like

    if error.ctx is None:
        return None
    own = error.possibilities or ()
    keys = keys_like(error.option_name, section=error.ctx.info_name or "", options=own)
    if not keys:
        return None
    others = f" (or {', '.join(keys[1:4])})" if keys[1:] else ""
    return (
        f"No such option '{error.option_name}', but params.yaml has {keys[0]}{others}: write it "
        f"there, or try a value with `dvc exp run -S ++{keys[0]}=VALUE`."
    )


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "RARESIGHT"},
    epilog="Every option can be given by the environment, too: RARESIGHT_PARAMS, "
    "RARESIGHT_DEVICE, RARESIGHT_COMMAND_OPTION. See docs/command-line.md.",
)
@click.version_option(__version__, prog_name="raresight", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Draw, enlarge, split, train on and honestly judge images of a rare class.

    `dvc repro` runs the stages in order, and only those that need it.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False


@click.command("help", hidden=True)
@click.argument("commands", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def explain(ctx: click.Context, commands: tuple[str, ...]) -> None:
    """Show the help of a command, as COMMAND --help does."""
    ctx.find_root().command.main([*commands, "--help"], prog_name=ctx.find_root().info_name)


workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    envvar="RARESIGHT_WORKERS",
    help="Processes; all cores if not given.",
)
executor_option = click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    envvar="RARESIGHT_EXECUTOR",
    help="Where shards are made; the bytes are the same.",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    envvar="RARESIGHT_DEVICE",
    help="auto, cpu, cuda, cuda:N or mps.",
)


def tell(settings: Settings, text: str) -> None:
    """Tell the person on stderr, unless --quiet."""
    if settings.verbosity >= 0:
        click.echo(visible(text), err=True)


def print_result(settings: Settings, plain: Any, render: Callable[[Any], Any]) -> None:
    """Print on stdout: ``plain`` as JSON where asked for, else what ``render`` makes of it.

    Square brackets are printed as they are, and control characters are not: names come from
    outside.
    """
    if settings.json:
        print_json(plain)
        return
    from raresight.pipeline.terminal.printing import Printed

    Printed(highlight=False, markup=False).print(render(plain))


def print_json(value: Any) -> None:
    """Print on stdout, for a program."""
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
