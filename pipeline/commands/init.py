"""init: a project of one's own; upgrade: the same for another version of Raresight."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as resources
from io import StringIO
from pathlib import Path
from typing import Any

from PIL import Image
from ruamel.yaml import YAML

from raresight.generators.base import BadImages
from raresight.generators.image_file import files_below
from raresight.pipeline.generation.params import Source
from raresight.pipeline.project import template
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError, suggest

IMAGES = "data/raw/images"
_SIZES = (32, 64, 128, 224)
_FEW = 2000  # images, below which smaller batches and more epochs are asked for
_LOOKED_AT = 200  # images, whose sizes suggest one
_NOTES = {
    "image_size": "Every image is made square, of so many pixels a side; yours are about {size}.",
    "deployment_prevalence": "The share of '{positive}' where the model will be used: set it.",
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """Images in class folders: how many of each class, and how large they are (the median)."""

    counts: Mapping[str, int]
    longer_side: int
    split_folders: bool


def run(
    folder: Path,
    *,
    images: Path | None = None,
    scenario: str | None = None,
    positive: str | None = None,
    link: bool = False,
) -> list[str]:
    """Make ``folder`` a project; returns what was written.

    ``images`` holds one subfolder a class and is copied below data/raw (with ``link`` as hard
    links, which take no room). Without, the params are those of ``scenario``. Git and DVC are
    initialised where they are not. Nothing is written where anything would be overwritten.
    """
    if images is not None and scenario is not None:
        raise ParamsError("--images and --scenario are two beginnings: give one of them.")
    there = [name for name in ("params.yaml", template.PIPELINE) if (folder / name).exists()]
    if there:
        raise ParamsError(f"{folder} has a {there[0]} already: init makes new projects only.")
    if images is None:
        params = _scenario(scenario or "default")
        found = None
    else:
        found = _look(images)
        params = _params(found, positive=_positive(found, positive))
    for place in ("data/raw", "data/weights"):
        (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / place / ".gitignore").touch()
    if images is not None:
        _bring(images, folder / IMAGES, link=link)
    written = {
        "params.yaml": params,
        template.PIPELINE: template.text(template.PIPELINE),
        template.REVISIONS: _revisions(),
        ".gitignore": template.text("gitignore"),
        "README.md": template.text("README.md"),
    }
    for name, text in written.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")
    _start(folder)
    return sorted([*written, *([IMAGES] if images else [])])


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
    return [*changed, *(f"dvc.yaml: {entry}" for entry in added)]


def _scenario(name: str) -> str:
    ours = resources("raresight")
    places = [ours.joinpath("default.yaml"), *ours.joinpath("scenarios").iterdir()]
    known = {
        place.name.removesuffix(".yaml"): place for place in places if place.name.endswith(".yaml")
    }
    if name not in known:
        raise ParamsError(f"no scenario '{name}'. {suggest(name, sorted(known))}")
    return known[name].read_text(encoding="utf-8")


def _look(images: Path) -> Found:
    if not images.is_dir():
        raise InputMissing(f"{images} is not a folder.")
    folders = sorted(path for path in images.iterdir() if path.is_dir())
    splits = {path.name.lower() for path in folders} >= {"train", "test"}
    options = {"path": str(images), "split_folders": True if splits else None}
    try:
        generator = Source(generator="folder", options=options).build((64, 64))
        classes = generator.classes
    except (BadImages, OSError) as error:
        raise DataError(str(error)) from None
    counts: Counter[str] = Counter()
    sides = []
    for parent in folders if splits else [images]:
        for path in files_below(parent):
            label = path.relative_to(parent).parts[0]
            if label in classes and (side := _side(path)):
                counts[label] += 1
                sides.append(side)
    if not sides:
        raise DataError(f"{images} has no readable image in a class folder.")
    some = sorted(sides[:: max(1, len(sides) // _LOOKED_AT)])
    return Found(counts=dict(counts), longer_side=some[len(some) // 2], split_folders=splits)


def _side(path: Path) -> int | None:
    """The longer side of an image, without decoding it; None where it is none."""
    try:
        with Image.open(path) as image:
            return max(image.size)
    except (OSError, ValueError, SyntaxError):
        return None


def _positive(found: Found, positive: str | None) -> str | None:
    if positive is not None and positive not in found.counts:
        raise ParamsError(f"--positive: no class '{positive}'. {suggest(positive, found.counts)}")
    if positive is None and len(found.counts) == 2:
        return min(found.counts, key=lambda label: (found.counts[label], label))
    return positive


def _params(found: Found, *, positive: str | None) -> str:
    """params.yaml for these images: short, and nothing assumed of them."""
    size = max([side for side in _SIZES if side <= found.longer_side], default=_SIZES[0])
    options: dict[str, Any] = {"path": IMAGES}
    if found.split_folders:
        options["split_folders"] = True
    total = sum(found.counts.values())
    train = {"epochs": 40, "batch_size": 32} if total < _FEW else {}
    evaluate = {}
    if positive is not None:
        evaluate["deployment_prevalence"] = float(f"{found.counts[positive] / total:.3g}")
    document = {
        "generate": {
            "image_size": size,
            "positive": positive,
            "sources": [{"generator": "folder", "options": options}],
        },
        "augment": {},
        "split": {},
        "train": train,
        "evaluate": evaluate,
        "report": {},
    }
    return _with_notes(document, size=found.longer_side, positive=positive)


def _with_notes(document: Mapping[str, Any], **known: Any) -> str:
    out = StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(dict(document), out)
    lines = []
    for line in out.getvalue().splitlines():
        key = line.strip().partition(":")[0]
        if key in _NOTES:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}# {_NOTES[key].format(**known)}")
        lines.append(line)
    return "\n".join(lines) + "\n"


def _revisions() -> str:
    lines = [f"{stage}: {number}" for stage, number in template.revisions().items()]
    return "\n".join(["# Which version of each stage made what is here; DVC reads it.", *lines, ""])


def _bring(images: Path, target: Path, *, link: bool) -> None:
    if images.resolve() == target.resolve():
        return
    if target.exists():
        raise ParamsError(f"{target} exists already.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(images, target, copy_function=os.link if link else shutil.copy2)


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
