"""Stages whose calls to the system fail: every kind of call, at up to 40 places in every stage."""

import builtins
import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow

from benchmarks.torture import child
from benchmarks.torture.outcome import again, look
from benchmarks.torture.project import leftovers, outputs, state
from benchmarks.torture.run import Run
from raresight.pipeline.core import files, parallel, provenance
from raresight.pipeline.runtime import processes, system

_CANNOT = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
_PLACES = 40  # of a kind of call in a stage that are tried at most
_TOLD = "TORTURE_FAULT"  # tells a worker process which of its calls fails: KIND PLACE ERRNO FILE


def calls(run: Run) -> Iterator[int]:
    """Every kind of call, in every stage, at each place where it is made, in a random order; in
    worker processes, too. After each the stage runs again."""
    cases = [
        (stage, kind, place, workers)
        for stage in run.project.stages
        for kind in FAULTS
        for place in range(_PLACES)
        for workers in ((1, 2) if stage == "generate" else (1,))
    ]
    run.rng.shuffle(cases)
    made: dict[tuple[str, str, int], int] = {}  # the first place that was not reached
    for stage, kind, place, workers in cases:
        if place < made.get((stage, kind, workers), _PLACES):
            fired = _fail(run, stage, kind, place, workers)
            if not fired:
                made[stage, kind, workers] = place
            yield int(fired)


def _fail(run: Run, stage: str, kind: str, place: int, workers: int) -> bool:
    """One call fails in one stage; then it runs again. Whether there was such a call."""
    project, counts, number = run.project, run.counts, run.rng.choice(_CANNOT)
    data, log, fired = project.between(stage), project.root / "log", project.root / "fired"
    fired.unlink(missing_ok=True)
    words = project.words(stage, "new", data, workers=workers)
    fault = f"{kind}|{place}|{number}|{fired}"
    ended = child.run(words, log=log, before=lambda: _begin(fault, workers))
    if not fired.exists() and ended.code == 0:
        return False
    name = "failing calls" if workers == 1 else "failing calls in workers"
    counts[f"{name}: tried"] += 1
    counts[f"{name}: {kind}"] += 1
    if ended.code == 0:
        counts[f"{name}: the stage did without"] += 1
    elif ended.code not in (74, 65, 66) or ended.unexpected:
        run.wrong(f"{name}: {kind}, ended with {ended.code}", stage, ended)
    if left := leftovers(data):
        run.wrong(f"{name}: left {left[0]}", stage, ended)
    kept = [state(data, path) == state(project.data("old"), path) for path in outputs(stage)]
    if ended.code and "as they were" in ended.said and not all(kept):
        run.wrong(f"{name}: says that outputs are as they were", stage, ended)
    look(run, stage, data, name)
    again(run, stage, data, name)
    return True


def _begin(fault: str, workers: int) -> None:
    """In the process of the stage: there the call fails or, with several, in each worker."""
    os.environ[_TOLD] = fault
    if workers == 1:
        _break()
    else:
        parallel.start_worker = start_failing


def start_failing() -> None:
    """What a worker process begins with."""
    processes.start_worker()
    _break()


def _break() -> None:
    kind, place, number, fired = os.environ[_TOLD].split("|")
    FAULTS[kind](int(place), int(number), fired)


def _failing(
    real: Callable[..., Any], place: int, number: int, fired: str, where: Any = None
) -> Any:
    """``real``, whose call number ``place`` fails, of those that ``where`` picks; the file
    ``fired`` is there then."""
    left = [place]

    def call(*arguments: Any, **options: Any) -> Any:
        if where is None or where(*arguments):
            left[0] -= 1
            if left[0] == -1:
                os.close(os.open(fired, os.O_CREAT | os.O_WRONLY))
                raise OSError(number, os.strerror(number), str(arguments[0]))
        return real(*arguments, **options)

    return call


def _ours(path: Any, *rest: Any) -> bool:
    """Whether a path is in the data folder that is worked on."""
    fired = os.environ[_TOLD].split("|")[-1]
    return str(path).startswith(str(Path(fired).with_name("work")))


def _no_rename(place: int, number: int, fired: str) -> None:
    os.replace = _failing(os.replace, place, number, fired)


def _no_exchange(place: int, number: int, fired: str) -> None:
    files._exchange = lambda first, second: False
    _no_rename(place, number, fired)


def _no_flush(place: int, number: int, fired: str) -> None:
    failing = _failing(system.flush, place, number, fired)
    for module in (files, system):
        module.flush = failing


def _no_hash(place: int, number: int, fired: str) -> None:
    """A file that was written, or is an input, cannot be read."""
    failing = _failing(provenance.sha256, place, number, fired)
    for module in (files, provenance):
        module.sha256 = failing


def _short_file(place: int, number: int, fired: str) -> None:
    """Whoever writes, in whatever language: no file grows beyond so many bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    most = int(1000 * 1.5**place)  # the log is a file, too
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def _no_open(mode: str) -> Callable[[int, int, str], None]:
    def picked(path: Any, how: str = "r", *rest: Any) -> bool:
        return isinstance(path, str | Path) and _ours(path) and how.startswith(mode)

    def change(place: int, number: int, fired: str) -> None:
        real = builtins.open
        builtins.open = _failing(real, place, number, fired, picked)
        method = Path.open
        Path.open = _failing(method, place, number, fired, picked)

    return change


def _no_map(place: int, number: int, fired: str) -> None:
    """A file that Arrow maps, reads or writes."""
    for name in ("memory_map", "OSFile"):
        setattr(pyarrow, name, _failing(getattr(pyarrow, name), place, number, fired))


def _no_mkdir(place: int, number: int, fired: str) -> None:
    os.mkdir = _failing(os.mkdir, place, number, fired, _ours)


FAULTS: dict[str, Callable[[int, int, str], None]] = {
    "rename": _no_rename,
    "rename without exchange": _no_exchange,
    "flush": _no_flush,
    "hash": _no_hash,
    "short file": _short_file,
    "open to read": _no_open("r"),
    "open to write": _no_open("w"),
    "open by Arrow": _no_map,
    "mkdir": _no_mkdir,
}
