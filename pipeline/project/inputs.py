"""What params name to be read, such as images, a ledger or weights: dvc.yaml has to list it.

DVC runs a stage again when one of its deps changes. Which folders and files those are depends on
params, and dvc.yaml cannot say so: `sync` writes them there, and a stage refuses to run without.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML

from raresight.pipeline.core.params import check_sections, load_section
from raresight.pipeline.project.template import PIPELINE
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.stages.table import section_model

_OUTSIDE = " (outside the project: DVC sees it change, and neither pushes nor pulls it)"
_LISTED = "inputs"  # below a stage's `meta`: which of its deps are those that params name


def named_inputs(section: BaseModel, key: str) -> Iterator[tuple[str, str]]:
    """The key of each part of a section that names what is read, and its path as it is written."""
    for path in getattr(section, "reads", ()):
        yield key, path
    for name in type(section).model_fields:
        yield from _inside(getattr(section, name), f"{key}.{name}")


def _inside(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        yield from named_inputs(value, key)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _inside(one, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _inside(one, f"{key}[{number}]")


def require_listed(params_file: Path, stage: str) -> None:
    """Refuse what a stage's params name and dvc.yaml does not list, since DVC would not see it
    change; where there is no dvc.yaml, or it lacks the stage, nothing is refused. Neither is a
    section with a mistake: the stage itself says what is wrong."""
    place = params_file.with_name(PIPELINE)
    if not place.is_file():
        return
    own = ((YAML(typ="safe").load(place) or {}).get("stages") or {}).get(stage)
    if own is None or (model := section_model(stage)) is None:
        return
    folder = params_file.parent
    listed = [_place(folder / dep) for dep in own.get("deps") or []]
    sections, problems = check_sections(params_file, {stage: model}, only=True)
    if problems:
        return
    for key, named in named_inputs(sections[stage], stage):
        for path in (named, *_linked(folder / named)):
            if not any(Path(_place(folder / path)).is_relative_to(dep) for dep in listed):
                raise ParamsError(
                    f"{params_file}: {key} names {path}, which is no dep of the stage {stage} in "
                    f"{place}, so DVC would not see it change. Run `raresight sync`, and then "
                    "`dvc repro`."
                )


def sync(params_file: Path) -> list[str]:
    """Make dvc.yaml list what params name, and no more what they named; a line a change.

    Deps that somebody wrote there stay, and without a dvc.yaml there is nothing to do. ParamsError
    where a section cannot be read.
    """
    place = params_file.with_name(PIPELINE)
    if not place.is_file():
        return []
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(place)
    changes = []
    for stage, own in document["stages"].items():
        if (model := section_model(stage)) is None:
            continue
        section = load_section(params_file, stage, model)
        folder = params_file.parent
        named = [path for _, path in named_inputs(section, stage)]
        linked = [path for one in named for path in _linked(folder / one)]
        wanted = _distinct(_dep(path, folder) for path in (*named, *linked))
        before = list(own.get("meta", {}).get(_LISTED, []))
        changes += [
            f"{stage}: + {dep}{_OUTSIDE * dep.startswith('/')}"
            for dep in wanted
            if dep not in before
        ]
        changes += [f"{stage}: - {dep}" for dep in before if dep not in wanted]
        if before != wanted:
            _write(own, before, wanted)
    if changes:
        out = StringIO()
        yaml.dump(document, out)
        new = place.with_name(f".{PIPELINE}.new")
        new.write_text(out.getvalue(), encoding="utf-8")
        new.replace(place)
    return changes


def _write(own: Any, before: Sequence[str], wanted: Sequence[str]) -> None:
    if "deps" not in own:
        own.insert([*own].index("outs"), "deps", [])
    deps = own["deps"]
    for dep in before:
        if dep in deps:
            deps.remove(dep)
    for dep in wanted:
        if dep not in deps:
            deps.append(dep)
    if "meta" not in own:
        own.insert([*own].index("outs"), "meta", {})
    own["meta"][_LISTED] = list(wanted)
    if not deps:
        del own["deps"]
    if not wanted:
        del own["meta"][_LISTED]
        if not own["meta"]:
            del own["meta"]


def _linked(path: Path) -> list[str]:
    """What linked folders in ``path``, or in a folder of it, lead to: DVC does not follow them."""
    found: list[str] = []
    level = [path] if path.is_dir() else []
    for _ in range(2):  # images lie in folders of classes, or of splits with classes in them
        entries = [entry for folder in level for entry in os.scandir(folder) if entry.is_dir()]
        found += [os.path.realpath(entry.path) for entry in entries if entry.is_symlink()]
        level = [Path(entry.path) for entry in entries if not entry.is_symlink()]
    return sorted(found)


def _place(path: Path | str) -> str:
    return os.path.abspath(path)


def _dep(path: str, folder: Path) -> str:
    """A path as dvc.yaml in ``folder`` names it: below it from there, elsewhere in full."""
    full = Path(_place(folder / path))
    here = Path(_place(folder))
    return full.relative_to(here).as_posix() if full.is_relative_to(here) else full.as_posix()


def _distinct(deps: Iterator[str]) -> list[str]:
    """Each once, without those that lie in another."""
    found = sorted(set(deps))
    return [
        dep
        for dep in found
        if not any(dep != one and Path(dep).is_relative_to(one) for one in found)
    ]
