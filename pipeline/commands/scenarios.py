"""scenarios and use: named params files, and which of them params.yaml is."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as resources
from importlib.resources.abc import Traversable
from pathlib import Path

from raresight.pipeline.core.files import replaced
from raresight.pipeline.runtime.errors import InputMissing, ParamsError, UnsafeError, suggest


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A params file below ``params/``; ``summary`` is its first comment line."""

    name: str
    path: Path
    summary: str
    in_use: bool


def run(params_file: Path) -> list[Scenario]:
    """The scenarios beside ``params_file``, by name; the one in use has the same bytes."""
    current = params_file.read_bytes() if params_file.is_file() else None
    return [
        Scenario(
            name=path.stem,
            path=path,
            summary=_first_comment(path),
            in_use=path.read_bytes() == current,
        )
        for path in sorted(_folder(params_file).glob("*.yaml"))
    ]


def shipped_scenarios() -> Mapping[str, Traversable]:
    """The params files that are installed with the package, by the scenario's name."""
    ours = resources("raresight")
    places = [ours.joinpath("default.yaml"), *ours.joinpath("scenarios").iterdir()]
    return {
        place.name.removesuffix(".yaml"): place for place in places if place.name.endswith(".yaml")
    }


def use_scenario(params_file: Path, name: str) -> Scenario:
    """Make the scenario the params file.

    Raises ParamsError for an unknown name, and UnsafeError when the params file holds edits that
    neither a scenario nor the last commit has.
    """
    scenarios = {scenario.name: scenario for scenario in run(params_file)}
    if not scenarios:
        raise InputMissing(f"{_folder(params_file)} holds no scenario (*.yaml).")
    if name not in scenarios:
        raise ParamsError(f"no scenario '{name}'. {suggest(name, scenarios)}")
    if not any(scenario.in_use for scenario in scenarios.values()) and _unsaved(params_file):
        raise UnsafeError(
            f"{params_file} has edits that are saved nowhere else. "
            f"Commit them (git commit {params_file}), or keep them as a scenario "
            f"(cp {params_file} {_folder(params_file)}/NAME.yaml), and try again."
        )
    _replace(params_file, scenarios[name].path)
    return scenarios[name]


def _folder(params_file: Path) -> Path:
    return params_file.parent / "params"


def _first_comment(path: Path) -> str:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("#"):
            return line.lstrip("# ").rstrip()
    return ""


def _unsaved(params_file: Path) -> bool:
    if not params_file.is_file():
        return False
    shown = subprocess.run(
        ["git", "show", f"HEAD:./{params_file.name}"],
        cwd=params_file.resolve().parent,
        capture_output=True,
        check=False,
    )
    return shown.returncode != 0 or shown.stdout != params_file.read_bytes()


def _replace(params_file: Path, scenario: Path) -> None:
    with replaced(params_file) as new:
        shutil.copyfile(scenario, new)
