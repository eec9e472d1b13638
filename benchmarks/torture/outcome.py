"""What a stage that was stopped or failed left, and whether it is right after it runs again."""

from pathlib import Path

from benchmarks.torture import child
from benchmarks.torture.project import leftovers, outputs, state
from benchmarks.torture.run import Run
from raresight.pipeline.commands import verify


def look(run: Run, stage: str, data: Path, name: str) -> None:
    """Each output is that of one version; where they are of two, `verify` says so."""
    project, counts, found = run.project, run.counts, []
    for path in outputs(stage):
        own = state(data, path)
        kinds = [one for one in ("old", "new") if own == state(project.data(one), path)]
        found.append(kinds)
        counts[f"{name}: outputs old or new, whole"] += bool(kinds)
        if not kinds:
            counts[f"WRONG {name}: {path} is neither"] += 1
    if not any(all(one in kinds for kinds in found) for one in ("old", "new")):
        said = [line for lines in verify.run(data).values() for line in lines]
        counts[f"{name}: of two runs, and verify says so"] += bool(said)
        counts[f"WRONG {name}: of two runs, unseen"] += not said


def again(run: Run, stage: str, data: Path, name: str) -> None:
    """The stage once more: the outputs are those of the new version."""
    project = run.project
    ended = child.run(project.words(stage, "new", data), log=project.root / "log")
    right = ended.code == 0 and all(
        state(data, path) == state(project.data("new"), path) for path in outputs(stage)
    )
    run.counts[f"{name}: right after one rerun"] += right
    if not right:
        run.wrong(f"{name}: not right after a rerun ({ended.code})", stage, ended)
    if left := leftovers(data):
        run.wrong(f"{name}: a rerun left {left[0]}", stage, ended)
