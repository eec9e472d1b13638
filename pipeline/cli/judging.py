"""Commands that judge: what differs between versions, and what a test set can show."""

from dataclasses import asdict
from typing import Any

import click

from raresight.pipeline.cli import completion
from raresight.pipeline.cli.command import Settings, command
from raresight.pipeline.cli.group import print_result


@command(example="compare HEAD~1 workspace --fail-if-worse average_precision")
@click.argument("old", metavar="[REV_A]", default="HEAD", shell_complete=completion.revisions)
@click.argument("new", metavar="[REV_B]", default="workspace", shell_complete=completion.revisions)
@click.option(
    "--on",
    type=click.Choice(["test", "perturbed"]),
    default="test",
    show_default=True,
    help="The images to compare on.",
)
@click.option(
    "--shared", is_flag=True, help="Where the test sets differ, use the images both have."
)
@click.option(
    "--primary",
    metavar="METRIC",
    shell_complete=completion.metrics,
    help="What the verdict rests on; average precision if not given.",
)
@click.option(
    "--fail-if-worse",
    metavar="METRIC",
    shell_complete=completion.metrics,
    multiple=True,
    help="Exit 1 when REV_B is worse in it, e.g. average_precision; may be repeated, and "
    "the metrics named share one level (Holm).",
)
@click.option("--md", "as_markdown", is_flag=True, help="Print Markdown, for a pull request.")
@click.pass_obj
def compare(
    settings: Settings,
    old: str,
    new: str,
    on: str,
    shared: bool,
    primary: str | None,
    fail_if_worse: tuple[str, ...],
    as_markdown: bool,
) -> None:
    """Say whether REV_B is better than REV_A, worse, or the difference inconclusive.

    A revision is a Git commit, branch or tag, a DVC experiment, or 'workspace'. Without arguments
    the workspace is compared with HEAD.
    """
    from raresight.pipeline.commands.compare import fail_if_worse as check
    from raresight.pipeline.commands.compare import run
    from raresight.pipeline.terminal.comparison import markdown, render

    report = run(
        settings.params, settings.data, old=old, new=new, on=on, shared=shared, primary=primary
    )
    if as_markdown:
        click.echo(markdown(report), nl=False)
    else:
        print_result(settings, asdict(report), lambda _: render(report))
    check(report, fail_if_worse)


fraction = click.FloatRange(0, 1, min_open=True, max_open=True)


@command(example="plan --recall 0.9 --width 0.1 --prevalence 1e-4")
@click.option(
    "--more-data",
    is_flag=True,
    help="Say instead how much more positives would help, by short trainings.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    help="With --more-data: trainings for each number of positives (3).",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 100_000),
    help="With --more-data: of each training; train.epochs if not given.",
)
@click.option("--device", help="With --more-data: where to train (auto, cpu, cuda).")
@click.option(
    "--recall", type=fraction, default=0.9, show_default=True, help="The recall expected."
)
@click.option(
    "--width",
    type=fraction,
    default=0.1,
    show_default=True,
    help="How wide its interval may be.",
)
@click.option(
    "--prevalence",
    "prevalences",
    type=fraction,
    multiple=True,
    help="Share of positives where the model will be used; may be repeated; "
    "that of params.yaml if not given.",
)
@click.option(
    "--precision",
    type=fraction,
    default=0.5,
    show_default=True,
    help="The precision to be shown at that prevalence.",
)
@click.option(
    "--confidence",
    type=fraction,
    help="Of the intervals; evaluate.confidence_level if not given.",
)
@click.pass_obj
def plan(
    settings: Settings,
    recall: float,
    width: float,
    prevalences: tuple[float, ...],
    precision: float,
    confidence: float | None,
    more_data: bool,
    **training: Any,
) -> None:
    """Say how many positives and negatives a test set needs, and whether this one has them.

    With --more-data, say instead what twice and four times as many positives to learn from would
    bring: short trainings on an eighth, a quarter, half and all of them make a learning curve,
    judged on validation. One that was stopped goes on where it was.
    """
    given = {name: value for name, value in training.items() if value is not None}
    if more_data:
        return _plan_data(settings, **given)
    if given:
        raise click.UsageError(
            f"{', '.join(f'--{name}' for name in given)}: only with --more-data."
        )
    from raresight.pipeline.commands.plan import run
    from raresight.pipeline.terminal.plan import render

    found = run(
        settings.params,
        settings.data,
        recall=recall,
        width=width,
        precision=precision,
        confidence=confidence,
        prevalences=prevalences,
    )
    print_result(settings, asdict(found), lambda _: render(found))


def _plan_data(settings: Settings, seeds: int = 3, **training: Any) -> None:
    from raresight.pipeline.commands.plan_data import run
    from raresight.pipeline.terminal.plan_data import render

    found = run(settings.params, settings.data, num_seeds=seeds, **training)
    print_result(settings, asdict(found), lambda _: render(found))


COMMANDS = (compare, plan)
