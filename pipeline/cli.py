"""The command line: it parses, calls one stage and prints; the only module that knows click.

What a command needs is imported inside it, so that `raresight --help` stays instant.
"""

import importlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from pipeline import __version__
from pipeline.core import processes
from pipeline.core.errors import RaresightError, listing, verdict

WRITES = {
    "generate": ("generated",),
    "augment": ("augmented",),
    "split": ("splits",),
    "train": ("model", "training"),
    "evaluate": ("evaluation",),
}


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
            if (ending := verdict(error)) is None:
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
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)


@cli.command()
@workers_option
@click.pass_obj
def generate(settings: Settings, workers: int | None) -> None:
    """Draw (or read in) the labelled images."""
    _run_stage(settings, "generate", workers=workers)


@cli.command()
@workers_option
@click.pass_obj
def augment(settings: Settings, workers: int | None) -> None:
    """Enlarge classes with copies that keep their label."""
    _run_stage(settings, "augment", workers=workers)


@cli.command()
@click.pass_obj
def split(settings: Settings) -> None:
    """Assign every source to train, val or test."""
    _run_stage(settings, "split")


@cli.command()
@device_option
@click.pass_obj
def train(settings: Settings, device: str) -> None:
    """Fit the classifier; keep the epoch that ranks validation best."""
    _run_stage(settings, "train", device=device)


@cli.command()
@device_option
@click.option("--show", is_flag=True, help="Print the last evaluation again; run nothing.")
@click.pass_obj
def evaluate(settings: Settings, device: str, show: bool) -> None:
    """Judge the model on val, test and perturbed test, beside its baselines."""
    from pipeline.evaluation import tables

    if show:
        from pipeline.stages.evaluate import show as last

        metrics = last(settings.data)
    else:
        metrics = _run_stage(settings, "evaluate", device=device, report=False)
    _print(settings, metrics, partial(tables.render, folder=settings.data / "evaluation"))


@cli.command()
@click.pass_obj
def validate(settings: Settings) -> None:
    """Check params.yaml; print what will run, or every problem."""
    from pipeline.stages.validate import render, run

    sections = run(settings.params)
    plain = {name: section.model_dump(mode="json") for name, section in sections.items()}
    _print(settings, plain, lambda _: render(sections))


@cli.command()
@click.pass_obj
def generators(settings: Settings) -> None:
    """List the generators, their classes and factors."""
    from pipeline.stages.generators import render, run

    entries = run()
    _print(settings, [asdict(entry) for entry in entries], lambda _: render(entries))


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Draw a contact sheet (PNG).")
@click.pass_obj
def inspect(settings: Settings, folder: Path, sheet: Path | None) -> None:
    """Show what is in a dataset."""
    from pipeline.dataset.summary import render
    from pipeline.stages.inspect import run

    summary = run(folder, sheet=sheet)
    _print(settings, asdict(summary), lambda _: render(summary))
    if sheet is not None:
        _say(settings, f"wrote {sheet}")


@cli.command()
@click.pass_obj
def scenarios(settings: Settings) -> None:
    """List the scenarios: named params files."""
    from pipeline.stages.scenarios import render, run

    found = run(settings.params)
    plain = [{**asdict(scenario), "path": str(scenario.path)} for scenario in found]
    _print(settings, plain, lambda _: render(found))


@cli.command()
@click.argument("name")
@click.pass_obj
def use(settings: Settings, name: str) -> None:
    """Make a scenario the params.yaml."""
    from pipeline.stages.scenarios import use as use_scenario

    scenario = use_scenario(settings.params, name)
    _say(settings, f"{settings.params} is now '{name}': {scenario.summary}")


@cli.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def verify(settings: Settings, folder: Path | None) -> None:
    """Recompute every sha256 of the stages' outputs."""
    from pipeline.stages.verify import run

    found = run(folder or settings.data)
    if settings.json:
        _print_json({str(output): problems for output, problems in found.items()})
    else:
        for output, problems in found.items():
            click.echo(f"{'DIFFERS' if problems else 'ok':<8}{output}")
    if wrong := [problem for problems in found.values() for problem in problems]:
        raise RaresightError(f"outputs differ from what was written:\n{listing(wrong)}")


def _run_stage(settings: Settings, name: str, *, report: bool = True, **options: Any) -> Any:
    """Run a stage and say what it wrote; with ``report``, as JSON too where that is asked for."""
    stage = importlib.import_module(f"pipeline.stages.{name}")
    started = time.perf_counter()
    result = stage.run(settings.params, settings.data, **options)
    seconds = time.perf_counter() - started
    outputs = [settings.data / folder for folder in WRITES[name]]
    _say(settings, f"{name}: wrote {' and '.join(map(str, outputs))} in {seconds:.1f} s")
    if settings.verbosity > 0:
        _list_files(outputs)
    if report and settings.json:
        written = [str(output) for output in outputs]
        _print_json({"stage": name, "outputs": written, "seconds": round(seconds, 3)})
    return result


def _list_files(folders: list[Path]) -> None:
    for path in sorted(path for folder in folders for path in folder.rglob("[!.]*")):
        if path.is_file():
            click.echo(f"{path.stat().st_size:>15,} bytes  {path}", err=True)


def _say(settings: Settings, text: str) -> None:
    if settings.verbosity >= 0:
        click.echo(text, err=True)


def _print(settings: Settings, plain: Any, render: Callable[[Any], Any]) -> None:
    """Print on stdout: ``plain`` as JSON where asked for, else what ``render`` makes of it."""
    if settings.json:
        _print_json(plain)
        return
    from rich.console import Console

    Console(highlight=False).print(render(plain))


def _print_json(value: Any) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def main() -> int:
    """Entry point of `raresight` and `python -m pipeline`."""
    processes.end_cleanly_when_told()
    if "DVC_STAGE" in os.environ:
        processes.end_with_dvc()
    return cli(prog_name="raresight")
