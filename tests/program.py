"""The program under test: called as a process, or in this one where that is enough."""

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from imports import ROOT
from ruamel.yaml import YAML

from pipeline import cli

COMMAND = [sys.executable, "-m", "pipeline"]
PATIENCE = 60


def call(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE, **options,
    )  # fmt: skip


def invoke(*arguments):
    return CliRunner().invoke(cli.cli, [*map(str, arguments)], prog_name="raresight")


def write_params(path: Path, **generate) -> Path:
    """The default params with another ``generate`` source: a few small, quick images."""
    yaml = YAML()
    document = yaml.load(ROOT / "params.yaml")
    source = {
        "generator": "shapes",
        "role": "any",
        "options": {"classes": ["circle", "square"]},
        "counts": {"circle": 8, "square": 8},
    }
    document["generate"] = {"seed": 1, "image_size": 8, "positive": None, "sources": [source]}
    document["generate"].update(generate)
    document["augment"]["copies"] = {"circle": 1}
    yaml.dump(document, path)
    return path


def options(project):
    return "--params", project / "params.yaml", "--data", project / "data"
