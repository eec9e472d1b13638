"""DVC draws the tables of two revisions over each other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from imports import ROOT
from ruamel.yaml import YAML

from raresight.pipeline.evaluation.evaluate import evaluate
from raresight.pipeline.evaluation.output.tables import tables

FOLDER = "data/evaluation/plots"


def command(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        arguments,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "DVC_NO_ANALYTICS": "1", "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def dvc(folder: Path, *arguments: str) -> str:
    return command(folder, sys.executable, "-m", "dvc", *arguments)


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    return command(folder, "git", *who, *arguments)


def entries() -> list[dict]:
    """The project's own plots of the evaluation's tables."""
    plots = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["plots"]
    named = [entry for entry in plots if isinstance(entry, dict)]
    return [entry for entry in named if FOLDER in json.dumps(entry)]


@pytest.fixture
def two_revisions(tmp_path, make_evidence, make_params):
    """A repository with the tables of two evaluations, one a commit."""
    git(tmp_path, "init", "-q")
    dvc(tmp_path, "init", "-q")
    YAML().dump({"plots": entries()}, tmp_path / "dvc.yaml")
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    inputs = make_evidence("normal", "rare", positive="rare")
    for seed in (0, 1):
        shifted = {
            name: scores[:, ::-1] if seed else scores for name, scores in inputs.model.items()
        }
        result = evaluate(type(inputs)(**{**vars(inputs), "model": shifted}), make_params())
        for name, text in tables(result).items():
            (folder / name).write_text(text)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", f"seed {seed}")
    return tmp_path


def test_every_plot_shows_both_revisions(two_revisions):
    shown = json.loads(dvc(two_revisions, "plots", "diff", "HEAD~1", "HEAD", "--json"))
    assert not shown.get("errors"), shown["errors"]
    drawn = shown["data"]
    assert set(drawn) == {next(iter(entry)) for entry in entries()}
    for name, parts in drawn.items():
        assert {rev for part in parts for rev in part["revisions"]} == {"HEAD~1", "HEAD"}, name
