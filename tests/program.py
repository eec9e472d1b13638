"""The program under test: called as a process, or in this one where that is enough."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner
from full_params import full_params
from imports import ROOT
from ruamel.yaml import YAML

from raresight.pipeline import cli

COMMAND = [sys.executable, "-m", "raresight"]
PATIENCE = 60


def call(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        **options,
    )


def invoke(*arguments, **options):
    runner = CliRunner()
    return runner.invoke(cli.cli, [*map(str, arguments)], prog_name="raresight", **options)


def write_params(path: Path, **generate) -> Path:
    """The default params with another ``generate`` source: a few small, quick images."""
    yaml = YAML()
    document = full_params()
    source = {
        "generator": "shapes",
        "options": {"classes": ["circle", "square"]},
        "counts": {"circle": 8, "square": 8},
    }
    document["generate"] = {"seed": 1, "image_size": 8, "positive": None, "sources": [source]}
    document["generate"].update(generate)
    document["augment"]["copies"] = {"circle": 1}
    yaml.dump(document, path)
    return path


def change(path: Path, **knobs) -> None:
    """Give the ``train`` section of a params file other values."""
    yaml = YAML()
    document = yaml.load(path)
    document["train"].update(knobs)
    yaml.dump(document, path)


def options(project):
    return "--params", project / "params.yaml", "--data", project / "data"


def alive(pid: int) -> bool:
    """Whether the process runs: one that ended and that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()
