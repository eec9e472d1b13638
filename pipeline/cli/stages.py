"""The stages as commands."""

import importlib
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from raresight.pipeline.cli import completion
from raresight.pipeline.cli.command import Command, Settings, command
from raresight.pipeline.cli.group import (
    device_option,
    executor_option,
    print_json,
    print_result,
    tell,
    workers_option,
)
from raresight.pipeline.runtime.live import LOGGERS
from raresight.pipeline.stages.table import STAGES

# By the argument that a stage's run() gets; the table says which of them a stage takes.
OPTIONS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "workers": workers_option,
    "executor": executor_option,
    "device": device_option,
    "keep": click.option(
        "--keep", is_flag=True, help="Write where each group is into the file of split.keep."
    ),
    "log": click.option(
        "--log",
        type=click.Choice(list(LOGGERS)),
        multiple=True,
        envvar="RARESIGHT_LOG",
        help="Log the curves there, too, while it trains; may be repeated.",
    ),
    "resume": click.option(
        "--resume",
        type=click.Choice(("auto", "require", "never")),
        default="auto",
        show_default=True,
        help="Resume a stopped training: where it is the same one, or else fail, or never.",
    ),
}

file = click.Path(path_type=Path, dir_okay=False)
table = click.Path(path_type=Path, dir_okay=False, allow_dash=True)

_EVALUATE = f"""{STAGES["evaluate"].description}

With --predictions, judge what any other model said: a CSV, Parquet or Arrow file with the columns
id, label and score.CLASS (or score, of the positive class). The options after it are for that
alone.
"""

_REPORT = f"""{STAGES["report"].description}

With --against REV, write another page instead: the workspace beside a Git revision or DVC
experiment, with compare's verdict, the params that differ, and both panels side by side.
"""


@command(help=_EVALUATE, example=STAGES["evaluate"].example)
@device_option
@executor_option
@click.option("--show", is_flag=True, help="Print the last evaluation again; run nothing.")
@click.option(
    "--predictions", type=table, help="Judge the scores in this file instead; - for stdin."
)
@click.option("--validation", type=file, help="Scores to choose the threshold on.")
@click.option("--threshold", type=click.FloatRange(0, 1), help="Instead of --validation.")
@click.option(
    "--positive",
    metavar="CLASS",
    shell_complete=completion.classes,
    help="The class that the results are about.",
)
@click.option(
    "--prevalence",
    "prevalences",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    multiple=True,
    help="Share of positives where the model will be used; may be repeated.",
)
@click.option("--target", type=file, help="Unlabelled scores: estimate the class shares there.")
@click.option(
    "--require-goals", is_flag=True, help="Exit 1 unless every goal of evaluate.goals is met."
)
@click.pass_obj
def evaluate(
    settings: Settings, device: str, executor: str, show: bool, require_goals: bool, **given: Any
) -> None:
    from raresight.pipeline.commands.goals import require_goals as check

    where = {"device": device, "executor": executor}
    metrics = _judged(settings, where, show, **given)
    if require_goals:
        check(metrics)


def _judged(
    settings: Settings,
    where: Mapping[str, str],
    show: bool,
    predictions: Path | None,
    **given: Any,
) -> dict[str, Any]:
    """The results, once they are printed; ``where`` images are scored."""
    from raresight.pipeline.terminal.evaluation import render

    if predictions is not None:
        from raresight.pipeline.commands.external_scores import Files
        from raresight.pipeline.commands.external_scores import run as judge

        files = Files(
            predictions=predictions,
            validation=given.pop("validation"),
            target=given.pop("target"),
        )
        metrics = judge(files, settings.params, **given)
        print_result(settings, metrics, partial(render, folder=None))
        return metrics
    if any(value not in (None, ()) for value in given.values()):
        names = ", ".join(f"--{name.removesuffix('s')}" for name, v in given.items() if v)
        raise click.UsageError(f"{names}: for the scores of --predictions only.")
    if show:
        from raresight.pipeline.core.inputs import understood
        from raresight.pipeline.stages.evaluate import show as last

        metrics, place = last(settings.data), settings.data / "evaluation"
        with understood(str(place / "results.json"), "Run `raresight evaluate` again."):
            print_result(settings, metrics, partial(render, folder=place))
        return metrics
    metrics = run_stage(settings, "evaluate", **where, report=False)
    print_result(settings, metrics, partial(render, folder=settings.data / "evaluation"))
    return metrics


@command(help=_REPORT, example=STAGES["report"].example)
@click.option(
    "--against",
    metavar="REV",
    shell_complete=completion.revisions,
    help="Put the workspace beside this version, on a page of its own.",
)
@click.option("--out", type=file, help="Where that page is written, e.g. against.html.")
@click.option(
    "--shared", is_flag=True, help="Where the test sets differ, use the images both have."
)
@click.pass_obj
def report(settings: Settings, against: str | None, out: Path | None, shared: bool) -> None:
    if against is None:
        if out is not None or shared:
            raise click.UsageError("--out and --shared: for the page of --against only.")
        made = run_stage(settings, "report")
    else:
        if out is None:
            raise click.UsageError("--against: say with --out which file to write.")
        from raresight.pipeline.commands.report_against import run

        made = run(settings.params, settings.data, against=against, out=out, shared=shared)
        if settings.json:
            print_json({"against": against, "out": str(made)})
    tell(settings, f"Open {made} in a browser.")


def stage_command(name: str) -> Command:
    """A command that runs the stage with the options that the table gives it."""

    @click.pass_obj
    def run(settings: Settings, **options: Any) -> None:
        run_stage(settings, name, **options)

    decorated: Callable[..., Any] = run
    for option in reversed(STAGES[name].options):
        decorated = OPTIONS[option](decorated)
    about = STAGES[name].description
    return command(name, help=about, example=STAGES[name].example)(decorated)


# `evaluate` prints a result, and judges what others have predicted; `report` compares, too.
_OWN = {"evaluate": evaluate, "report": report}
COMMANDS = tuple(_OWN.get(name) or stage_command(name) for name in STAGES)


def run_stage(settings: Settings, name: str, *, report: bool = True, **options: Any) -> Any:
    """Run a stage and say what it wrote; with ``report``, as JSON too where that is asked for."""
    from raresight.pipeline.project.inputs import require_listed
    from raresight.pipeline.project.revisions import check_revision

    stage = importlib.import_module(f"raresight.pipeline.stages.{name}")
    for one in [name] if STAGES[name].section else STAGES:  # the whole file is about all of them
        check_revision(settings.params, one)
        require_listed(settings.params, one)
    started = time.perf_counter()
    result = stage.run(settings.params, settings.data, **options)
    if os.environ.get("RANK", "0") != "0":  # one of torchrun's processes; the first one speaks
        return result
    seconds = time.perf_counter() - started
    outputs = [settings.data / folder for folder in STAGES[name].folders]
    tell(settings, f"{name}: wrote {' and '.join(map(str, outputs))} in {seconds:.1f} s")
    if settings.verbosity > 0:
        _list_files(outputs)
    if report and settings.json:
        written = [str(output) for output in outputs]
        print_json({"stage": name, "outputs": written, "seconds": round(seconds, 3)})
    return result


def _list_files(folders: list[Path]) -> None:
    for path in sorted(path for folder in folders for path in folder.rglob("[!.]*")):
        if path.is_file():
            click.echo(f"{path.stat().st_size:>15,} bytes  {path}", err=True)
