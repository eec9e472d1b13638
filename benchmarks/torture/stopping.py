"""Stages that are killed, told to stop, or whose calls to the system fail."""

import builtins
import errno
import os
import random
import resource
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.torture import child
from benchmarks.torture.project import Project, leftovers, outputs, state
from raresight.pipeline.commands import verify
from raresight.pipeline.core import files, provenance
from raresight.pipeline.runtime import system

_CANNOT = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
_ENDINGS = {signal.SIGTERM: (143, -15), signal.SIGINT: (130, -2), signal.SIGKILL: (-9,)}


def stop(project: Project, rng: random.Random, times: dict[str, float], counts: Counter) -> None:
    """One stage gets a signal at a random moment; then it runs again."""
    stage, number = project.any_stage(rng), rng.choice(tuple(_ENDINGS))
    data, log = project.between(stage), project.root / "log"
    words, name = project.words(stage, "new", data), signal.Signals(number).name
    after = rng.uniform(0, 1.1 * times.setdefault(stage, 1.0))
    ended = child.run(words, log=log, number=number, after=after)
    counts[f"{name}: tried"] += 1
    if ended.code == 0:
        counts[f"{name}: came after the end"] += 1
        times[stage] = min(times[stage], ended.seconds)
    elif ended.code not in _ENDINGS[number] or ended.unexpected:
        _wrong(counts, f"{name}: ended with {ended.code}", stage, ended)
    _look(project, stage, data, counts, name)
    if number != signal.SIGKILL and (left := leftovers(data)):
        _wrong(counts, f"{name}: left {left[0]}", stage, ended)
    _again(project, stage, data, counts, name)


def fail(project: Project, rng: random.Random, counts: Counter) -> None:
    """One call of one kind fails in one stage; then it runs again."""
    stage, kind = project.any_stage(rng), rng.choice(tuple(FAULTS))
    data, log, place = project.between(stage), project.root / "log", rng.randrange(_PLACES[kind])
    number = rng.choice(_CANNOT)
    ended = child.run(
        project.words(stage, "new", data), log=log, before=lambda: FAULTS[kind](place, number)
    )
    counts["failing calls: tried"] += 1
    counts[f"failing calls: {kind}"] += 1
    if ended.code == 0:
        counts["failing calls: the stage did without, or made none"] += 1
    elif ended.code not in (74, 65, 66) or ended.unexpected:
        _wrong(counts, f"failing calls: {kind}, ended with {ended.code}", stage, ended)
    if left := leftovers(data):
        _wrong(counts, f"failing calls: left {left[0]}", stage, ended)
    kept = [state(data, path) == state(project.data("old"), path) for path in outputs(stage)]
    if ended.code and "as they were" in ended.said and not all(kept):
        _wrong(counts, "failing calls: says that outputs are as they were", stage, ended)
    _look(project, stage, data, counts, "failing calls")
    _again(project, stage, data, counts, "failing calls")


def _look(project: Project, stage: str, data: Path, counts: Counter, name: str) -> None:
    """Each output is that of one version; where they are of two, `verify` says so."""
    found = []
    for path in outputs(stage):
        own = state(data, path)
        kinds = [one for one in ("old", "new") if own == state(project.data(one), path)]
        found.append(kinds)
        counts[f"{name}: outputs old or new, whole"] += bool(kinds)
        if not kinds:
            counts[f"WRONG {name}: {path} is neither"] += 1
    mixed = not any(all(one in kinds for kinds in found) for one in ("old", "new"))
    if mixed:
        said = [line for lines in verify.run(data).values() for line in lines]
        counts[f"{name}: of two runs, and verify says so"] += bool(said)
        counts[f"WRONG {name}: of two runs, unseen"] += not said


def _again(project: Project, stage: str, data: Path, counts: Counter, name: str) -> None:
    ended = child.run(project.words(stage, "new", data), log=project.root / "log")
    right = ended.code == 0 and all(
        state(data, path) == state(project.data("new"), path) for path in outputs(stage)
    )
    counts[f"{name}: right after one rerun"] += right
    if not right:
        _wrong(counts, f"{name}: not right after a rerun ({ended.code})", stage, ended)
    if left := leftovers(data):
        _wrong(counts, f"{name}: a rerun left {left[0]}", stage, ended)


def _wrong(counts: Counter, what: str, stage: str, ended: child.Ended) -> None:
    counts[f"WRONG {what} [{stage}] {ended.said.strip()[-160:]!r}"] += 1


def _failing(real: Callable[..., Any], place: int, number: int, where: Any = None) -> Any:
    """``real``, whose call number ``place`` fails, of those that ``where`` picks."""
    left = [place]

    def call(*arguments: Any, **options: Any) -> Any:
        if where is None or where(*arguments):
            left[0] -= 1
            if left[0] == -1:
                raise OSError(number, os.strerror(number), str(arguments[0]))
        return real(*arguments, **options)

    return call


def _no_exchange(place: int, number: int) -> None:
    files._exchange = lambda first, second: False
    os.replace = _failing(os.replace, place, number)


def _no_flush(place: int, number: int) -> None:
    failing = _failing(system.flush, place, number)
    for module in (files, system):
        module.flush = failing


def _no_hash(place: int, number: int) -> None:
    """A file that was written, or is an input, cannot be read."""
    failing = _failing(provenance.sha256, place, number)
    for module in (files, provenance):
        module.sha256 = failing


def _short_file(place: int, number: int) -> None:
    """Whoever writes, in whatever language: no file grows beyond so many bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    most = 2000 * 2 ** (place % 8)  # the log is a file, too
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def _no_open(mode: str) -> Callable[[int, int], None]:
    def picked(path: Any, how: str = "r", *rest: Any) -> bool:
        return isinstance(path, str | Path) and "/work/" in str(path) and how.startswith(mode)

    def change(place: int, number: int) -> None:
        real = builtins.open
        builtins.open = _failing(real, place, number, picked)
        method = Path.open
        Path.open = _failing(method, place, number, picked)

    return change


def _no_mkdir(place: int, number: int) -> None:
    os.mkdir = _failing(os.mkdir, place, number, lambda path, *rest: "/work/" in str(path))


FAULTS: dict[str, Callable[[int, int], None]] = {
    "rename": lambda place, number: setattr(os, "replace", _failing(os.replace, place, number)),
    "rename without exchange": _no_exchange,
    "flush": _no_flush,
    "hash": _no_hash,
    "short file": _short_file,
    "open to read": _no_open("r"),
    "open to write": _no_open("w"),
    "mkdir": _no_mkdir,
}
_PLACES = dict.fromkeys(FAULTS, 12) | {"hash": 40, "open to read": 40, "flush": 20}
