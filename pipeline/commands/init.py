"""init: a project of one's own; upgrade: the same for another version of Raresight."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from raresight.pipeline.commands.own_images import (
    Found,
    first_splits,
    look_at_folder,
    look_at_table,
)
from raresight.pipeline.commands.own_params import choose_positive, params_text
from raresight.pipeline.commands.scenarios import shipped_scenarios
from raresight.pipeline.project import template
from raresight.pipeline.project.inputs import sync
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError, suggest
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.splitting.ledger import write_ledger

IMAGES, LEDGER = "data/raw/images", "data/raw/split.csv"


def run(
    folder: Path,
    *,
    images: Path | None = None,
    table: Path | None = None,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
    scenario: str | None = None,
    positive: str | None = None,
    link: bool = False,
) -> list[str]:
    """Make ``folder`` a project; returns what was written.

    ``images`` holds one subfolder a class, or the files that ``table`` lists; they are copied below
    data/raw (with ``link`` as hard links, which take no room), and where each group of them goes is
    written into a ledger. Without both, the params are those of ``scenario``. ``columns`` and
    ``group`` are those of :func:`look_at_table` and :func:`look_at_folder`. Git and DVC are
    initialised where they are not. Nothing is written where anything would be overwritten.
    """
    _refuse_two_beginnings(images, table, columns, group, scenario)
    for name in ("params.yaml", template.PIPELINE, IMAGES, LEDGER):
        if (folder / name).exists() and not _is_same(images, folder / name):
            raise ParamsError(f"{folder} has a {name} already: init makes new projects only.")
    found = None
    if table is not None:
        found = look_at_table(table, images=images, columns=columns, group=group)
    elif images is not None:
        found = look_at_folder(images, group=group)
    ledger: dict[str, str] = {}
    if found is None:
        params = _scenario(scenario or "default")
    else:
        positive = choose_positive(found, positive)
        ledger, few = first_splits(found)
        if positive is not None and positive in few:
            missed = " and ".join(few.pop(positive))
            say(
                f"init: '{positive}' is what is judged, and has no image for {missed}: `split` "
                "refuses it until there are three groups of it or more"
            )
        name = f"{IMAGES}/{table.name}" if table is not None else IMAGES
        params = params_text(found, path=name, ledger=LEDGER, positive=positive, few=few)
    written = {
        "params.yaml": params,
        template.PIPELINE: template.text(template.PIPELINE),
        template.REVISIONS: _revisions(),
        ".gitignore": template.text("gitignore"),
        "README.md": template.text("README.md"),
    }
    _write(folder, written, found, ledger, link=link)
    sync(folder / "params.yaml")
    _start(folder)
    return sorted([*written, *([IMAGES, LEDGER] if found else [])])


def _refuse_two_beginnings(
    images: Path | None,
    table: Path | None,
    columns: Mapping[str, str] | None,
    group: str | None,
    scenario: str | None,
) -> None:
    if scenario is not None and (images is not None or table is not None):
        raise ParamsError("--scenario is another beginning than --images or --table: give one.")
    if columns and table is None:
        raise ParamsError("--column says what a column of --table is: there is no table.")
    if group is not None and images is None and table is None:
        raise ParamsError("--group says what belongs together in --images or --table.")


def _is_same(images: Path | None, place: Path) -> bool:
    return images is not None and images.resolve() == place.resolve()


def _write(
    folder: Path,
    written: Mapping[str, str],
    found: Found | None,
    ledger: Mapping[str, str],
    *,
    link: bool,
) -> None:
    for place in ("data/raw", "data/weights"):
        (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / place / ".gitignore").touch()
    for path, name in found.files.items() if found else ():
        target = folder / IMAGES / name
        if target.resolve() != path.resolve():
            target.parent.mkdir(parents=True, exist_ok=True)
            (os.link if link else shutil.copy2)(path, target)
    if found:
        write_ledger(folder / LEDGER, ledger)
    for name, text in written.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")


def upgrade(folder: Path) -> list[str]:
    """Take the revisions of the installed Raresight; returns what changed, a line each."""
    place = folder / template.REVISIONS
    if not place.is_file():
        raise InputMissing(f"{place} does not exist: this is no project of `raresight init`.")
    old = YAML(typ="safe").load(place) or {}
    pipeline, added = template.completed(folder / template.PIPELINE)
    changed = [
        f"{stage}: revision {old.get(stage, 'none')} -> {new}"
        for stage, new in template.revisions().items()
        if old.get(stage) != new
    ]
    if added:
        (folder / template.PIPELINE).write_text(pipeline, encoding="utf-8")
    place.write_text(_revisions(), encoding="utf-8")
    named = sync(folder / "params.yaml")
    return [*changed, *(f"dvc.yaml: {entry}" for entry in (*added, *named))]


def _scenario(name: str) -> str:
    known = shipped_scenarios()
    if name not in known:
        raise ParamsError(f"no scenario '{name}'. {suggest(name, sorted(known))}")
    return known[name].read_text(encoding="utf-8")


def _revisions() -> str:
    lines = [f"{stage}: {number}" for stage, number in template.revisions().items()]
    return "\n".join(["# Which version of each stage made what is here; DVC reads it.", *lines, ""])


def _start(folder: Path) -> None:
    """`git init` and `dvc init` where they are not yet."""
    if not (folder / ".git").exists() and _call(folder, "git", "rev-parse", "--git-dir") != 0:
        _require(folder, "git", "init", "--quiet")
    if not (folder / ".dvc").exists():
        inside = ["--subdir"] if not (folder / ".git").exists() else []
        _require(folder, sys.executable, "-m", "dvc", "init", "--quiet", *inside)


def _call(folder: Path, *command: str) -> int:
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode
    except FileNotFoundError:
        raise InputMissing(f"{command[0]} is not installed, and a project needs it.") from None


def _require(folder: Path, *command: str) -> None:
    if _call(folder, *command) != 0:
        raise DataError(f"`{' '.join(command)}` failed in {folder}.")
