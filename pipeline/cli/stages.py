"""The stages as commands."""

import importlib
import time
from functools import partial
from pathlib import Path
from typing import Any

import click

from raresight.pipeline.cli.group import (
    Settings,
    device_option,
    executor_option,
    print_json,
    print_result,
    say,
    workers_option,
)

WRITES = {
    "generate": ("generated",),
    "augment": ("augmented",),
    "split": ("splits",),
    "train": ("model", "training"),
    "evaluate": ("evaluation",),
    "report": ("report",),
}


file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@workers_option
@executor_option
@click.pass_obj
def generate(settings: Settings, workers: int | None, executor: str) -> None:
    """Draw (or read in) the labelled images."""
    run_stage(settings, "generate", workers=workers, executor=executor)


@click.command()
@workers_option
@executor_option
@click.pass_obj
def augment(settings: Settings, workers: int | None, executor: str) -> None:
    """Enlarge classes with copies that keep their label."""
    run_stage(settings, "augment", workers=workers, executor=executor)


@click.command()
@click.pass_obj
def split(settings: Settings) -> None:
    """Assign every source to train, val or test."""
    run_stage(settings, "split")


@click.command()
@device_option
@click.option(
    "--resume",
    type=click.Choice(("auto", "require", "never")),
    default="auto",
    show_default=True,
    help="Resume a training that was stopped: where it is the same one, or else fail, or never.",
)
@click.pass_obj
def train(settings: Settings, device: str, resume: str) -> None:
    """Fit the classifier; keep the epoch that ranks validation best."""
    run_stage(settings, "train", device=device, resume=resume)


@click.command()
@device_option
@click.option("--show", is_flag=True, help="Print the last evaluation again; run nothing.")
@click.option("--predictions", type=file, help="Judge the scores in this file instead.")
@click.option("--validation", type=file, help="Scores to choose the threshold on.")
@click.option("--threshold", type=click.FloatRange(0, 1), help="Instead of --validation.")
@click.option("--positive", metavar="CLASS", help="The class that the results are about.")
@click.option(
    "--prevalence",
    "prevalences",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    multiple=True,
    help="Share of positives where the model will be used; may be repeated.",
)
@click.option("--target", type=file, help="Unlabelled scores: estimate the class shares there.")
@click.pass_obj
def evaluate(
    settings: Settings, device: str, show: bool, predictions: Path | None, **given: Any
) -> None:
    """Judge the model on val, test and perturbed test, beside its baselines.

    With --predictions, judge what any other model said: a CSV, Parquet or Arrow file with the
    columns id, label and score.CLASS (or score, of the positive class). The options after it are
    for that alone.
    """
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
        return
    if any(value not in (None, ()) for value in given.values()):
        names = ", ".join(f"--{name.removesuffix('s')}" for name, v in given.items() if v)
        raise click.UsageError(f"{names}: for the scores of --predictions only.")
    if show:
        from raresight.pipeline.stages.evaluate import show as last

        metrics = last(settings.data)
    else:
        metrics = run_stage(settings, "evaluate", device=device, report=False)
    print_result(settings, metrics, partial(render, folder=settings.data / "evaluation"))


@click.command()
@click.pass_obj
def report(settings: Settings) -> None:
    """Make the page that shows what was asked, done and found."""
    page = run_stage(settings, "report")
    say(settings, f"Open {page} in a browser.")


COMMANDS = (generate, augment, split, train, evaluate, report)


def run_stage(settings: Settings, name: str, *, report: bool = True, **options: Any) -> Any:
    """Run a stage and say what it wrote; with ``report``, as JSON too where that is asked for."""
    stage = importlib.import_module(f"raresight.pipeline.stages.{name}")
    started = time.perf_counter()
    result = stage.run(settings.params, settings.data, **options)
    seconds = time.perf_counter() - started
    outputs = [settings.data / folder for folder in WRITES[name]]
    say(settings, f"{name}: wrote {' and '.join(map(str, outputs))} in {seconds:.1f} s")
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
