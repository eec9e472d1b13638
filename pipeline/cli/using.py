"""Commands that put a trained model to use: on new images, and in other programs."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from raresight.pipeline.cli.command import Commands, Settings, command
from raresight.pipeline.cli.group import (
    device_option,
    executor_option,
    print_json,
    print_result,
    tell,
    workers_option,
)
from raresight.pipeline.runtime import stores
from raresight.pipeline.runtime.processes import wait_without_spinning

model_option = click.option(
    "--model",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the model, in a project or exported; the project's if not given.",
)


class Target(click.Path):
    """A path to write to, or a URL, which stays text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if (name := stores.as_path(str(value))) and stores.is_url(name):
            return name
        return super().convert(name, param, ctx)


@command(example="predict photos/ --out scores.csv", at_root=False)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "--out",
    type=Target(path_type=Path, dir_okay=False, allow_dash=True),
    required=True,
    help="Table to write, a path or a URL: .csv, .parquet, .arrow or .jsonl; - for stdout.",
)
@model_option
@click.option(
    "--prevalence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of positives where the images come from: adds what is right there.",
)
@click.option(
    "--max-unreadable",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Leave out up to so many files that cannot be read.",
)
@click.option(
    "--like",
    metavar="SOURCE",
    help="Source whose files these are like, where those learned from were read in several ways.",
)
@workers_option
@executor_option
@device_option
@click.pass_obj
def predict(settings: Settings, inputs: tuple[str, ...], model: Path | None, **given: Any) -> None:
    """Apply the model to images: scores, probabilities, answers, and what is unlike.

    INPUT is an image, a folder of images, a dataset, a table that lists files, a URL of one of
    these in a store, or - for a list of files on stdin.
    """
    from raresight.pipeline.commands.predict import STDOUT, Options, run
    from raresight.pipeline.terminal.prediction import render

    if given["workers"] != 1:  # they and the network share the cores
        wait_without_spinning()
    form = ".jsonl" if settings.json else ".csv"
    options = Options(model=model or settings.data / "model", stdout_as=form, **given)
    summary = run(inputs, options)
    tell(settings, render(summary))
    if settings.json and options.out != STDOUT:
        print_json(asdict(summary))


@click.group(cls=Commands)
def export() -> None:
    """Write the model or the dataset for other places and other programs."""


@export.command("model", example="export model --format onnx --out model.onnx", at_root=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(("folder", "onnx", "torch")),
    required=True,
    help="folder: what --model takes; a file for ONNX runtimes, or for torch.export.load.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="What to write.")
@model_option
@click.option(
    "--images",
    metavar="INPUT",
    multiple=True,
    help="Images that a file is checked on; the project's if not given; may be repeated.",
)
@click.pass_obj
def export_model(
    settings: Settings, form: str, out: Path, model: Path | None, images: tuple[str, ...]
) -> None:
    """Write the model with its decision, complete in one place.

    A file takes raw pixels and gives scores, calibrated probabilities and answers; before it is
    written it is compared with the model on real images.
    """
    from raresight.pipeline.commands.export import run
    from raresight.pipeline.terminal.prediction import render_export

    folder = model or settings.data / "model"
    card = run(
        folder,
        form=form,
        out=out,
        images=images,
        data=settings.data,
        params_file=settings.params,
    )
    tell(settings, render_export(card, out))
    if settings.json:
        print_json(card)


@export.command("data", example="export data --format parquet --out hub")
@click.option(
    "--format",
    "form",
    type=click.Choice(("imagefolder", "parquet", "webdataset", "coco")),
    required=True,
    help="For torchvision, Hugging Face, webdataset, or pycocotools.",
)
@click.option(
    "--out", type=Target(path_type=Path), required=True, help="Folder to write, a path or a URL."
)
@click.option("--copies", is_flag=True, help="Also the augmented copies that train learns from.")
@click.pass_obj
def export_data(settings: Settings, form: str, out: str | Path, copies: bool) -> None:
    """Write the images with labels, masks and splits, for another program.

    With a dataset card; the same bytes each time.
    """
    from raresight.pipeline.commands.export_data import run
    from raresight.pipeline.terminal.exports import render

    found = run(settings.data, form=form, out=out, copies=copies, params_file=settings.params)
    tell(settings, render(found, out))
    if settings.json:
        print_json(found)


@command(example="explain --out mistakes.png")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Picture to write (PNG).",
)
@click.option(
    "--mistakes",
    "most",
    type=click.IntRange(min=1, max=100),
    default=8,
    show_default=True,
    help="How many of each kind.",
)
@device_option
@click.pass_obj
def explain(settings: Settings, out: Path, most: int, device: str) -> None:
    """Draw the surest mistakes and the pixels that they came from.

    By integrated gradients, which the extra `explain` brings.
    """
    from raresight.pipeline.commands.explain import run
    from raresight.pipeline.terminal.explained import render

    found = run(settings.data, out, most=most, device=device)
    print_result(settings, asdict(found), lambda _: render(found))


COMMANDS = (predict, explain, export)
