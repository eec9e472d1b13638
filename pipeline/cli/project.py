"""Commands that make a project of one's own, and keep it up to date."""

from pathlib import Path

import click

from raresight.pipeline.cli import completion
from raresight.pipeline.cli.command import Settings, command
from raresight.pipeline.cli.group import print_json, tell


@command(example="init scans --images ~/pictures --positive diseased", at_root=False)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--images", type=click.Path(path_type=Path), help="Images, one subfolder a class.")
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
    scenario: str | None,
    positive: str | None,
    link: bool,
) -> None:
    """Make a project in DIR, of your images or a scenario."""
    from raresight.pipeline.commands.init import run

    written = run(folder, images=images, scenario=scenario, positive=positive, link=link)
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


COMMANDS = (init, upgrade)
