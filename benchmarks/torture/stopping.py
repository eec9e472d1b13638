"""Stages that are killed, or told to stop, at a random moment."""

import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.torture import child
from benchmarks.torture.damaging import fit, mutated, picked
from benchmarks.torture.outcome import again, look
from benchmarks.torture.project import leftovers
from benchmarks.torture.run import Run
from raresight.pipeline.core.provenance import MANIFEST
from raresight.pipeline.training.runtime.paths import RESUME

_ENDINGS = {signal.SIGTERM: (143, -15), signal.SIGINT: (130, -2), signal.SIGKILL: (-9,)}


def kills(run: Run) -> Iterator[int]:
    """SIGKILL to the process group of a stage."""
    while True:
        yield _stop(run, (signal.SIGKILL,))


def signals(run: Run) -> Iterator[int]:
    """SIGTERM or Ctrl-C."""
    while True:
        yield _stop(run, (signal.SIGTERM, signal.SIGINT))


def states(run: Run) -> Iterator[int]:
    """The state of a stopped training is damaged, half of the time with a manifest made to fit:
    the training refuses it or goes on; it is right after `doctor --fix`."""
    stopped = _stopped(run)
    while True:
        _resume(run, stopped)
        yield 1


def _stopped(run: Run) -> Path:
    """A data folder with the state of a training that was told to stop."""
    project = run.project
    for _ in range(100):
        data = project.between("train")
        words = project.words("train", "new", data)
        after = run.rng.uniform(0, project.seconds["train"])
        child.run(words, log=project.root / "log", number=signal.SIGTERM, after=after)
        if (data / RESUME / "replicate-1" / MANIFEST).is_file():
            return Path(shutil.copytree(data, project.root / "stopped"))
    raise RuntimeError("no training could be stopped within its epochs")


def _resume(run: Run, stopped: Path) -> None:
    project, counts, name = run.project, run.counts, "state of a training"
    data, fits = project.root / "work", run.rng.random() < 0.5
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(stopped, data)
    path = picked(data / RESUME / "replicate-1", run.rng, but=(MANIFEST,) if fits else ())
    good = path.read_bytes()
    path.write_bytes(bad := mutated(good, run.rng))
    if fits:
        fit(path, data)
    words = project.words("train", "new", data)
    ended = child.run(words, log=project.root / "log")
    counts[f"{name}: tried"] += 1
    if ended.unexpected or ended.code not in (0, 65, 77):
        run.wrong(f"{name}: ended with {ended.code} for {path.name}", "train", ended)
    if ended.code == 0 and not fits and bad != good:
        run.wrong(f"{name}: {path.name} taken up", "train", ended)
    counts[f"{name}: refused"] += ended.code != 0
    if ended.code:
        mend = ["--data", str(data), "doctor", "--fix"]
        if fits:  # by its manifest it is whole, and the message says what to do
            shutil.rmtree(data / RESUME)
        else:
            child.run(mend, log=project.root / "log")
        again(run, "train", data, name)


def _stop(run: Run, numbers: Sequence[signal.Signals]) -> int:
    """One stage gets a signal; then it runs again. 0 where the signal came after its end."""
    project, counts = run.project, run.counts
    stage, number = project.any_stage(run.rng), run.rng.choice(numbers)
    data, log, name = project.between(stage), project.root / "log", number.name
    words = project.words(stage, "new", data)
    after = run.rng.uniform(0, 1.05 * project.seconds[stage])
    ended = child.run(words, log=log, number=number, after=after)
    counts[f"{name}: tried"] += 1
    if ended.code == 0:
        counts[f"{name}: came after the end"] += 1
    elif ended.code not in _ENDINGS[number] or ended.unexpected:
        run.wrong(f"{name}: ended with {ended.code}", stage, ended)
    look(run, stage, data, name)
    if number != signal.SIGKILL and (left := leftovers(data)):
        run.wrong(f"{name}: left {left[0]}", stage, ended)
    again(run, stage, data, name)
    return int(ended.code != 0)
