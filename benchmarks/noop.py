"""What it costs to ask: `dvc repro` with nothing to do, and the command line's help."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.inputs import ROOT, dvc, pathology, seconds_of, write_params
from benchmarks.measure import Goal, Measurement, Sizes, interleave
from raresight.pipeline.stages.table import STAGES

_STAGES = len(STAGES)
_TINY = {
    "generate": pathology(16, count=300, prevalence={"mitotic": 0.2}),
    "augment": {"copies": {"mitotic": 1}},
    "train": {
        "epochs": 1,
        "schedule": {"name": "constant", "interval": "step", "warmup": None},
    },
    "evaluate": {"num_bootstrap": 100},
}


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """This project after one small run, beside a project of stages that copy one line."""
    projects = (copy_of_ours(folder / "ours"), empty_stages(folder / "empty"))
    for project in projects:
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
        dvc("repro", folder=project, caches=folder / "caches")
    ours, theirs = interleave(
        *(lambda p=p: dvc("repro", folder=p, caches=folder / "caches") for p in projects),
        rounds=sizes.rounds,
    )
    yield Measurement(
        what="dvc repro with nothing to do",
        peer=f"{_STAGES} stages that copy one line",
        ours=ours,
        theirs=theirs,
        goal=Goal(kind="share", bound=1.2),
    )
    yield _help(folder, sizes)


def _help(folder: Path, sizes: Sizes) -> Measurement:
    commands = (("-m", "raresight", "--help"), ("-c", "pass"))
    ours, theirs = interleave(
        *(lambda c=c: seconds_of(sys.executable, *c, folder=ROOT, caches=folder) for c in commands),
        rounds=sizes.rounds,
    )
    return Measurement(
        what="raresight --help",
        peer="Python's own start",
        ours=ours,
        theirs=theirs,
        goal=Goal(kind="seconds", bound=0.2),
    )


def copy_of_ours(project: Path) -> Path:
    """Everything Git knows or would add, but for results, with params for a run of seconds."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    results = ("data/training/", "data/evaluation/", "dvc.lock")
    for name in filter(None, listed.split("\0")):
        exists = (ROOT / name).is_file() or (ROOT / name).is_symlink()
        if exists and not name.startswith(results):
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, project / name, follow_symlinks=False)
    write_params(project / "params.yaml", _TINY)
    return project


def empty_stages(project: Path) -> Path:
    """Stages in a chain, none of which does more than copy a file of one line."""
    project.mkdir()
    shutil.copytree(ROOT / ".dvc", project / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
    (project / "0").write_text("one line\n")
    stages = {
        f"stage{k}": {"cmd": f"cp {k} {k + 1}", "deps": [str(k)], "outs": [str(k + 1)]}
        for k in range(_STAGES)
    }
    YAML(typ="safe").dump({"stages": stages}, project / "dvc.yaml")
    return project
