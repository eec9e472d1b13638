"""What a project stands on: versions, the disk, the device, fonts, OpenGL, Git and DVC."""

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from raresight.pipeline.core.space import free_bytes, in_words
from raresight.pipeline.doctor.finding import Finding, Project

_LITTLE = 2_000_000_000  # bytes: the scenarios that come along need less
_CONTEXT = """
import moderngl
print(moderngl.create_context(standalone=True, backend="egl").info["GL_RENDERER"])
"""
_SHOWN = ("raresight", "dvc", "numpy", "pyarrow", "torch")


def versions(project: Project) -> Iterator[Finding]:
    """Python and libraries; which of those that Raresight asks for are others than it asks for."""
    known = ", ".join(f"{name} {version}" for name in _SHOWN if (version := _version(name)))
    yield Finding(said=f"Python {platform.python_version()}, {known}")
    for problem in _unmet():
        yield Finding(said=f"{problem}. Install it again: see README", state="wrong")


def disk(project: Project) -> Iterator[Finding]:
    """Room for outputs, which are written whole beside the old ones."""
    free = free_bytes(project.data)
    said = f"{in_words(free)} free where {project.data} is"
    yield Finding(said=said, state="note" if free < _LITTLE else "ok")


def device(project: Project) -> Iterator[Finding]:
    """Where a training would run."""
    if find_spec("torch") is None:
        yield Finding(
            said="torch is not installed: train, evaluate and predict need it", state="wrong"
        )
        return
    from raresight.pipeline.models import device as devices

    found = devices.resolve("auto")
    yield Finding(said=f"training runs on {found}")


def fonts(project: Project) -> Iterator[Finding]:
    """Fonts for the generator `glyphs`; the page's come with matplotlib."""
    from raresight.generators.drawing.fonts import bundled

    found = bundled()
    yield Finding(said=f"{len(found)} fonts for drawing", state="ok" if found else "wrong")


def opengl(project: Project) -> Iterator[Finding]:
    """Whether the generator `street` could draw."""
    if find_spec("moderngl") is None:
        yield Finding(
            said="moderngl is not installed; only the generator street needs it", state="note"
        )
        return
    # In a process of its own: a driver may end it.
    done = _run(sys.executable, "-c", _CONTEXT)
    said = f"OpenGL by {done}" if done else "OpenGL cannot be started; only `street` needs it"
    yield Finding(said=said, state="ok" if done else "note")


def git(project: Project) -> Iterator[Finding]:
    """Git keeps dvc.lock and the results; without it nothing comes back."""
    if _run("git", "rev-parse", "--is-inside-work-tree", at=project.root) != "true":
        yield Finding(
            said="no Git repository: results cannot be brought back, nor compared", state="note"
        )
        return
    unmerged = _run("git", "diff", "--name-only", "--diff-filter=U", at=project.root)
    if unmerged:
        names = ", ".join(unmerged.split("\n"))
        yield Finding(said=f"a merge is not finished: {names}. Settle it and commit", state="wrong")
        return
    changed = _run("git", "status", "--porcelain", "--", ".", at=project.root) or ""
    lines = len(changed.splitlines())
    yield Finding(said=f"{_run('git', '--version')}; {lines} files differ from the last commit")


def dvc(project: Project) -> Iterator[Finding]:
    """Whether DVC knows this folder."""
    if not (project.root / ".dvc").is_dir() and not (project.root / "dvc.yaml").exists():
        yield Finding(
            said=f"{project.root} is no DVC project; `raresight init` makes one", state="note"
        )
    elif not (project.root / "dvc.yaml").is_file():
        yield Finding(said="dvc.yaml is missing: `git checkout dvc.yaml`", state="wrong")
    else:
        yield Finding(said="dvc.yaml is there")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _unmet() -> Iterator[str]:
    """What Raresight itself asks for, and what is installed instead."""
    from packaging.requirements import Requirement

    for text in importlib.metadata.requires("raresight") or ():
        asked = Requirement(text)
        if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
            continue
        found = _version(asked.name)
        if found is None:
            yield f"{asked.name} is not installed"
        elif not asked.specifier.contains(found, prereleases=True):
            yield f"{asked.name} {found} is installed, and {asked.specifier} is asked for"


def _run(*command: str, at: Path | None = None) -> str | None:
    """What a command prints, None where it fails."""
    try:
        done = subprocess.run(
            command, cwd=at, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
