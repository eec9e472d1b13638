"""The files of a new project, beside params.yaml; those of this folder are their contents."""

import re
from collections.abc import Mapping
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from raresight.pipeline.stages.table import STAGES

PIPELINE, REVISIONS = "dvc.yaml", "revisions.yaml"
_TEMPLATES = {PIPELINE: "stages.yaml"}  # DVC would take a dvc.yaml in a repository for its own
_FORMER = ("data/raw", "data/weights")  # deps of earlier versions; now those that params name
_LISTS = ("params", "deps", "outs", "metrics")


def text(name: str) -> str:
    """The contents that a file of a new project has."""
    return files(__package__).joinpath(_TEMPLATES.get(name, name)).read_text(encoding="utf-8")


def of_repository(pipeline: str) -> str:
    """The dvc.yaml of a project, from that of Raresight's repository.

    The stages call the command that is installed, and depend on their revisions instead of the
    code: a project has none of it.
    """
    head, stages, rest = re.split(r"^(?=stages:|plots:)", pipeline, maxsplit=2, flags=re.MULTILINE)
    del head
    lines = []
    for line in stages.splitlines():
        if re.match(r" +- (pipeline|generators)(/|$)", line):
            continue
        line = line.replace("python -m raresight", "raresight")
        lines.append(line)
        if found := re.match(r"    cmd: raresight (\w+)", line):
            stage = found[1]
        if line == "    params:":
            lines.append(f"      - {REVISIONS}:\n          - {stage}")
        if found and STAGES[stage].section is None:  # another revision of any stage, another check
            lines.append(f"    params:\n      - {REVISIONS}:")
    # A stage without deps has no such list.
    lines = [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if line != "    deps:" or after.startswith("      - ")
    ]
    return "\n".join(
        [
            "# The pipeline, made by `raresight init`; `dvc repro` runs what changed. Knobs are",
            "# in params.yaml; revisions.yaml says which version of each stage made what is there.",
            "",
            *lines,
            "",
            rest,
        ]
    )


def revisions() -> dict[str, int]:
    """The revision of each stage of the raresight that is installed."""
    return {name: stage.revision for name, stage in STAGES.items()}


def completed(project: Path) -> tuple[str, list[str]]:
    """The project's dvc.yaml with every entry of a stage that it lacks, and what was changed.

    Deps that an earlier version had for whatever params might name are gone. What somebody added of
    their own stays.
    """
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(project)
    known: Mapping[str, Any] = YAML(typ="safe").load(text(PIPELINE))["stages"]
    added = []
    for place, (name, stage) in enumerate(known.items()):
        if name not in document["stages"]:
            document["stages"].insert(place, name, stage)
            added.append(name)
            continue
        own = document["stages"][name]
        for key in _LISTS:
            there = {_name(entry) for entry in own.get(key, [])}
            missing = [entry for entry in stage.get(key, []) if _name(entry) not in there]
            if missing:
                own.setdefault(key, []).extend(missing)
                added += [f"{name}.{key}: {_name(entry)}" for entry in missing]
        for dep in _FORMER:
            if dep in own.get("deps", []):
                own["deps"].remove(dep)
                added.append(f"{name}.deps: - {dep}")
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue(), added


def _name(entry: Any) -> str:
    return entry if isinstance(entry, str) else next(iter(entry))
