"""Commands that look at params and datasets, and the one that picks a scenario."""

from dataclasses import asdict
from pathlib import Path

import click

from raresight.pipeline.cli import completion
from raresight.pipeline.cli.command import Settings, command
from raresight.pipeline.cli.group import print_json, print_result, tell
from raresight.pipeline.runtime.errors import RaresightError, listing


@command(example="validate --full")
@click.option("--full", is_flag=True, help="Print every value, defaults too; marks what differs.")
@click.pass_obj
def validate(settings: Settings, full: bool) -> None:
    """Check params.yaml; print what will run, or every problem."""
    from raresight.pipeline.commands.validate import changed, plain, resolved, run
    from raresight.pipeline.project.inputs import require_listed
    from raresight.pipeline.stages.check import doubts
    from raresight.pipeline.terminal.validate import render

    sections = run(settings.params)
    for stage in sections:
        require_listed(settings.params, stage)
    if full and settings.json:
        told = {"changed": changed(sections), "warnings": list(doubts(sections))}
        print_json({"params": plain(sections), **told})
    elif full:
        click.echo(resolved(sections), nl=False)
    elif settings.json or settings.verbosity >= 0:
        told = {**plain(sections), "warnings": list(doubts(sections))}
        print_result(settings, told, lambda _: render(sections))


@command(example="schema > params.schema.json", at_root=False)
def schema() -> None:
    """Print the JSON Schema of params.yaml, for editors."""
    from raresight.pipeline.commands.schema import run

    print_json(run())


@command(example="generators", at_root=False)
@click.pass_obj
def generators(settings: Settings) -> None:
    """List the generators, their classes and factors."""
    from raresight.pipeline.commands.generators import run
    from raresight.pipeline.terminal.generators import render

    entries = run()
    print_result(settings, [asdict(entry) for entry in entries], lambda _: render(entries))


@command(example="inspect data/generated --sheet sheet.png", at_root=False)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Draw a contact sheet (PNG, JPEG).")
@click.option(
    "--difficulty", is_flag=True, help="Tell which factors make images hard to recognize."
)
@click.pass_obj
def inspect(settings: Settings, folder: Path, sheet: Path | None, difficulty: bool) -> None:
    """Show what is in a dataset."""
    from raresight.pipeline.commands.inspect import run
    from raresight.pipeline.terminal.dataset import render

    summary = run(folder, sheet=sheet, difficulty=difficulty)
    print_result(settings, asdict(summary), lambda _: render(summary))
    if sheet is not None:
        tell(settings, f"wrote {sheet}")


@command(example="scenarios")
@click.pass_obj
def scenarios(settings: Settings) -> None:
    """List the scenarios: named params files."""
    from raresight.pipeline.commands.scenarios import run
    from raresight.pipeline.terminal.scenarios import render

    found = run(settings.params)
    plain = [{**asdict(scenario), "path": str(scenario.path)} for scenario in found]
    print_result(settings, plain, lambda _: render(found))


@command(example="use conveyor")
@click.argument("name", shell_complete=completion.scenarios)
@click.pass_obj
def use(settings: Settings, name: str) -> None:
    """Make a scenario the params.yaml."""
    from raresight.pipeline.commands.scenarios import use_scenario
    from raresight.pipeline.project.inputs import sync

    scenario = use_scenario(settings.params, name)
    tell(settings, f"{settings.params} is now '{name}': {scenario.summary}")
    for line in sync(settings.params):
        tell(settings, f"dvc.yaml, {line}")


@command(example="verify", at_root=False)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def verify(settings: Settings, folder: Path | None) -> None:
    """Recompute every sha256 of the stages' outputs."""
    from raresight.pipeline.commands.verify import run

    found = run(folder or settings.data)
    if settings.json:
        print_json({str(output): problems for output, problems in found.items()})
    else:
        for output, problems in found.items():
            click.echo(f"{'DIFFERS' if problems else 'ok':<8}{output}")
    if wrong := [problem for problems in found.values() for problem in problems]:
        raise RaresightError(f"outputs differ from what was written:\n{listing(wrong)}")


COMMANDS = (validate, schema, generators, inspect, scenarios, use, verify)
