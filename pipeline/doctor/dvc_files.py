"""DVC's own files as a crash may leave them: empty, cut off, or naming who is dead."""

import io
import json
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from raresight.pipeline.core.locks import is_held
from raresight.pipeline.doctor.finding import Finding, Project, set_aside

LOCK = "dvc.lock"


def dvc_lock(project: Project) -> Iterator[Finding]:
    """dvc.lock says what the outputs were made from; without it all stages run again."""
    path = project.root / LOCK
    if not path.exists():
        yield Finding(said=f"no {LOCK}: nothing has run here yet", state="note")
        return
    if (problem := _problem(path.read_bytes())) is None:
        yield Finding(said=f"{LOCK} can be read")
        return
    kept = _of_git(project.root)
    way = "that of the last commit takes its place" if kept else "`dvc repro` writes another"

    def repair() -> str:
        said = set_aside(path)
        if kept is None:
            return f"{said}. Run `dvc repro`: it takes from its run cache what ran before"
        path.write_bytes(kept)
        return f"{said}, and that of the last commit put in its place. Run `dvc repro`"

    yield Finding(said=f"{LOCK} {problem}; {way}", state="wrong", repair=repair)


def rwlock(project: Project) -> Iterator[Finding]:
    """.dvc/tmp/rwlock says which process reads or writes which output."""
    path = project.root / ".dvc" / "tmp" / "rwlock"
    if not path.exists():
        yield Finding(said="no output is marked as in use")
        return
    try:
        found = json.loads(path.read_bytes())
        infos = [*_infos(found)]
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        if is_held(path.with_name("lock")) or is_held(path.with_name("rwlock.lock")):
            yield Finding(said=f"{path} is being written by DVC", state="note")
            return
        yield Finding(
            said=f"{path} cannot be read, and no DVC runs: every `dvc repro` would fail",
            state="wrong",
            repair=partial(set_aside, path),
        )
        return
    dead = sorted({pid for pid in infos if not _alive(pid)})
    if dead:
        who = ", ".join(map(str, dead))
        said = f"outputs are marked as in use by processes that have ended ({who}); DVC frees them"
        yield Finding(said=said, state="note")
    else:
        yield Finding(said=f"{len(infos)} marks of outputs in use, of processes that run")


def _infos(found: Any) -> Iterator[int]:
    for kinds in found.values():
        for held in kinds.values():
            yield from (
                int(one["pid"]) for one in (held if isinstance(held, list) else [held]) if one
            )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _problem(content: bytes) -> str | None:
    """What is wrong with a dvc.lock, None if it holds stages."""
    if not content.strip():
        return "is empty"
    if b"<<<<<<<" in content:
        return "has two sides of a merge in it"
    try:
        found = YAML(typ="safe", pure=True).load(io.BytesIO(content))
    except (YAMLError, ValueError, RecursionError):
        return "is no YAML"
    stages = found.get("stages") if isinstance(found, dict) else None
    return None if isinstance(stages, dict) else "names no stages"


def _of_git(root: Path) -> bytes | None:
    """The dvc.lock of the last commit, where there is one that can be read."""
    try:
        done = subprocess.run(
            ["git", "show", f"HEAD:./{LOCK}"], cwd=root, capture_output=True, check=False
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 and _problem(done.stdout) is None else None
