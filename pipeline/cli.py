"""The command line: it parses, calls one function below pipeline.stages, and shows what that returns.

This is the only module that imports click, and the only place where an error becomes an exit code.
Every other import waits until a command needs it, so that ``--help`` is instant.
"""

import errno
import json
import os
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from pipeline import __version__
from pipeline.core.errors import OutputError, RaresightError, listing
from pipeline.core.processes import end_cleanly_when_told, end_with_parent

_CANNOT_WRITE = {errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EPERM, errno.EDQUOT, errno.EISDIR}


@dataclass(frozen=True, kw_only=True)
class Context:
    """The global options."""

    params: Path
    data: Path
    as_json: bool
    verbosity: int
    debug: bool

    def done(self, text: str, result: dict[str, Any]) -> None:
        """One closing line on stderr; with --json the result on stdout."""
        if self.as_json:
            click.echo(json.dumps(result, indent=2))
        if self.verbosity >= 0:
            click.echo(text, err=True)

    def show(self, renderable: Any) -> None:
        """Print a rich renderable on stdout."""
        from rich.console import Console

        Console().print(renderable)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="raresight")
@click.option(
    "--params",
    type=click.Path(path_type=Path),
    default="params.yaml",
    show_default=True,
    help="The params file.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default="data",
    show_default=True,
    help="The folder that the stages read and write.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.option("-v", "--verbose", count=True, help="Say more.")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, params, data, as_json, verbose, quiet, debug) -> None:
    """Draw, enlarge, split, train on and honestly judge images of a rare class."""
    verbosity = -1 if quiet else verbose
    os.environ["RARESIGHT_VERBOSITY"] = str(verbosity)
    if "NO_COLOR" in os.environ:
        ctx.color = False
    ctx.obj = Context(
        params=params, data=data, as_json=as_json, verbosity=verbosity, debug=debug
    )


workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Local processes (default: all cores)."
)
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)


@cli.command()
@workers_option
@click.pass_obj
def generate(obj: Context, workers: int | None) -> None:
    """Draw (or read in) the labelled images."""
    from pipeline.stages.generate import run

    _wrote(obj, "generate", run(obj.params, obj.data, workers=workers))


@cli.command()
@workers_option
@click.pass_obj
def augment(obj: Context, workers: int | None) -> None:
    """Enlarge the rare class with label-safe copies."""
    from pipeline.stages.augment import run

    _wrote(obj, "augment", run(obj.params, obj.data, workers=workers))


@cli.command()
@click.pass_obj
def split(obj: Context) -> None:
    """Assign sources to train, val and test."""
    from pipeline.stages.split import run

    _wrote(obj, "split", run(obj.params, obj.data))


@cli.command()
@device_option
@click.pass_obj
def train(obj: Context, device: str) -> None:
    """Fit the classifier; keep the epoch that ranks validation best."""
    from pipeline.stages.train import run

    _wrote(obj, "train", run(obj.params, obj.data, device=device))


@cli.command()
@device_option
@click.option("--show", is_flag=True, help="Print the last evaluation; evaluate nothing.")
@click.pass_obj
def evaluate(obj: Context, device: str, show: bool) -> None:
    """Judge the model beside its baselines."""
    from pipeline.evaluation.tables import render
    from pipeline.stages import evaluate as stage

    if show:
        metrics = stage.show(obj.data)
    else:
        metrics = stage.run(obj.params, obj.data, device=device)
    if not obj.as_json:
        obj.show(render(metrics, folder=obj.data / "evaluation"))
    obj.done(f"evaluate: see {obj.data / 'evaluation'}", metrics)


@cli.command()
@click.pass_obj
def validate(obj: Context) -> None:
    """Check params.yaml: what will run, or every problem at once."""
    from pipeline.stages.validate import render, run

    sections = run(obj.params)
    if not obj.as_json:
        obj.show(render(sections))
    result = {name: section.model_dump(mode="json") for name, section in sections.items()}
    obj.done(f"{obj.params} is valid.", result)


@cli.command()
@click.pass_obj
def generators(obj: Context) -> None:
    """List the generators, their classes and factors."""
    from pipeline.stages.generators import render, run

    found = run()
    if not obj.as_json:
        obj.show(render(found))
    else:
        click.echo(json.dumps(found, indent=2))


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Draw a contact sheet (PNG).")
@click.pass_obj
def inspect(obj: Context, folder: Path, sheet: Path | None) -> None:
    """Say what is in a dataset."""
    from pipeline.dataset.summary import render
    from pipeline.stages.inspect import run

    summary = run(folder, sheet=sheet)
    if obj.as_json:
        click.echo(json.dumps(asdict(summary), indent=2, default=str))
    else:
        obj.show(render(summary))


@cli.command()
@click.pass_obj
def scenarios(obj: Context) -> None:
    """List the named params files."""
    from pipeline.stages.scenarios import run

    found = run(obj.params)
    if obj.as_json:
        click.echo(json.dumps([asdict(scenario) for scenario in found], indent=2, default=str))
        return
    for scenario in found:
        mark = "*" if scenario.in_use else " "
        click.echo(f"{mark} {scenario.name:<12} {scenario.summary}")


@cli.command()
@click.argument("name")
@click.pass_obj
def use(obj: Context, name: str) -> None:
    """Make the scenario NAME the params file."""
    from pipeline.stages.scenarios import use as make_current

    scenario = make_current(obj.params, name)
    obj.done(f"{obj.params} is now {scenario.path}", {"name": name, "path": str(scenario.path)})


@cli.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def verify(obj: Context, folder: Path | None) -> None:
    """Recompute every sha256 of the stages' outputs."""
    from pipeline.stages.verify import run

    found = run(folder or obj.data)
    problems = [problem for several in found.values() for problem in several]
    if problems:
        raise RaresightError(f"{len(problems)} problems:\n{listing(problems, limit=1000)}")
    result = {str(path): several for path, several in found.items()}
    obj.done(f"{len(found)} outputs are what was written.", result)


def _wrote(obj: Context, stage: str, path: Path) -> None:
    obj.done(f"{stage}: wrote {path}", {"stage": stage, "output": str(path)})


def main() -> NoReturn:
    """Run the program; every failure ends here, as one message and an exit code."""
    end_cleanly_when_told()
    if "DVC_ROOT" in os.environ or "DVC_STAGE" in os.environ:
        end_with_parent()
    debug = "--debug" in sys.argv
    try:
        cli.main(standalone_mode=False)
        code = 0
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        code = _fail("interrupted", 130, debug)
    except RaresightError as error:
        code = _fail(str(error), error.exit_code, debug)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - nobody reads on; say nothing more
        code = 0
    except OSError as error:
        exit_code = OutputError.exit_code if error.errno in _CANNOT_WRITE else 1
        code = _fail(f"{error.filename or 'output'}: {error.strerror}.", exit_code, debug)
    except Exception as error:
        text = f"{type(error).__name__}: {error}. Run again with --debug to see where."
        code = _fail(text, 1, debug)
    sys.exit(code)


def _fail(text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    click.echo(f"error: {text}", err=True)
    return code
