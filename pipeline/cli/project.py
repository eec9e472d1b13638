"""Commands that make a project of one's own, and keep it up to date."""

from pathlib import Path

import click

from raresight.pipeline.cli import completion
from raresight.pipeline.cli.command import Settings, command
from raresight.pipeline.cli.group import print_json, print_result, tell
from raresight.pipeline.runtime.errors import RaresightError

file = click.Path(path_type=Path, dir_okay=False)


def _as_mapping(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if wrong := [one for one, (_, _, name) in zip(given, pairs, strict=True) if not name]:
        raise click.BadParameter(f"'{wrong[0]}' is no ROLE=NAME, such as label=diagnosis.")
    return {role: name for role, _, name in pairs}


@command(example="init scans --images ~/pictures --positive diseased", at_root=False)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--images", type=click.Path(path_type=Path), help="Images, one subfolder a class.")
@click.option("--table", type=file, help="A table that lists images (below --images) and labels.")
@click.option(
    "--column",
    "columns",
    metavar="ROLE=NAME",
    multiple=True,
    callback=_as_mapping,
    help="Which column of --table is file, label, group, split, mask or id.",
)
@click.option("--group", metavar="RULE", help="What belongs together: parent, a rule, a column.")
@click.option(
    "--scenario",
    metavar="NAME",
    shell_complete=completion.shipped_scenarios,
    help="Begin with drawn images instead.",
)
@click.option("--positive", metavar="CLASS", help="The rare class that the results are about.")
@click.option("--link", is_flag=True, help="Hard links to the images instead of copies.")
@click.pass_obj
def init(
    settings: Settings,
    folder: Path,
    images: Path | None,
    table: Path | None,
    columns: dict[str, str],
    group: str | None,
    scenario: str | None,
    positive: str | None,
    link: bool,
) -> None:
    """Make a project in DIR, of your images, a table of them, or a scenario."""
    from raresight.pipeline.commands.init import run

    written = run(
        folder,
        images=images,
        table=table,
        columns=columns,
        group=group,
        scenario=scenario,
        positive=positive,
        link=link,
    )
    if settings.json:
        print_json({"folder": str(folder), "written": written})
        return
    tell(settings, f"{folder} is a project: {', '.join(written)}")
    tell(settings, f"go on with: cd {folder} && raresight validate && dvc repro")


@command(example="upgrade")
@click.pass_obj
def upgrade(settings: Settings) -> None:
    """Take this version's stages into a project that `init` made."""
    from raresight.pipeline.commands.init import upgrade as run

    changed = run(settings.params.parent)
    if settings.json:
        print_json({"changed": changed})
        return
    for line in changed or ["nothing to change"]:
        tell(settings, line)


@command(example="sync")
@click.pass_obj
def sync(settings: Settings) -> None:
    """Make dvc.yaml list what params.yaml names.

    Images, a ledger or weights that a stage reads: DVC runs it again when they change.
    """
    from raresight.pipeline.project.inputs import sync as run

    changed = run(settings.params)
    if settings.json:
        print_json({"changed": changed})
        return
    for line in changed or ["nothing to change"]:
        tell(settings, line)


@command(example="doctor --fix")
@click.option("--fix", is_flag=True, help="Repair what can be repaired; no data is deleted.")
@click.pass_obj
def doctor(settings: Settings, fix: bool) -> None:
    """Find what a crash left or an installation lacks, and mend it.

    What a killed run left of outputs and of DVC's files, and versions, disk, device, fonts, OpenGL
    and Git. What --fix puts out of the way it renames; it removes half-made outputs alone.
    """
    from raresight.pipeline.commands.doctor import run
    from raresight.pipeline.terminal.doctor import render

    found = run(settings.params.parent, settings.data, fix=fix)
    plain = [{"check": one.check, "state": one.state, "said": one.said} for one in found]
    print_result(settings, plain, lambda _: render(found))
    if wrong := [one for one in found if one.state == "wrong"]:
        fixable = any(one.repair is not None for one in wrong)
        way = "`raresight doctor --fix` repairs what it can" if fixable else "a person has to"
        raise RaresightError(f"{len(wrong)} findings stand in the way; {way}.")


COMMANDS = (init, sync, upgrade, doctor)
