"""A training in two processes, as torchrun starts it, that is told to stop or killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.torture.child import Ended
from benchmarks.torture.outcome import look
from benchmarks.torture.project import leftovers, outputs, state
from benchmarks.torture.run import Run

_STAGE, _NAME = "train", "torchrun"
_PATIENCE = 600.0  # seconds


def signals(run: Run) -> Iterator[int]:
    """SIGTERM, Ctrl-C or SIGKILL to torchrun or to all of it, then the same training again: the
    bits of one that nobody disturbed."""
    project, times = run.project, []
    start = time.monotonic()
    data = project.between(_STAGE)
    if _wait(run, _start(run, data)).code:
        raise RuntimeError(f"torchrun does not train: {_said(run)}")
    times.append(time.monotonic() - start)
    golden = project.root / "launched"
    shutil.copytree(data, golden)
    while True:
        yield _stop(run, golden, min(times))


def _stop(run: Run, golden: Path, seconds: float) -> int:
    project, rng, counts = run.project, run.rng, run.counts
    data = project.between(_STAGE)
    number = rng.choice((signal.SIGTERM, signal.SIGINT, signal.SIGKILL))
    alone = number != signal.SIGINT and rng.random() < 0.5  # Ctrl-C goes to all of them
    process = _start(run, data)
    end = time.monotonic() + rng.uniform(0, seconds)
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.005)
    if process.poll() is not None:
        return 0
    workers = _workers(data)
    (os.kill if alone else os.killpg)(process.pid, number)
    ended = _wait(run, process)
    counts[f"{_NAME}: tried"] += 1
    counts[f"{_NAME}: {number.name} to {'torchrun alone' if alone else 'all of it'}"] += 1
    if ended.code == 0 and number == signal.SIGKILL:
        run.wrong(f"{_NAME}: {number.name} ended with 0", _STAGE, ended)
    if "error: unexpected" in ended.said:
        run.wrong(f"{_NAME}: {number.name}, unexpected", _STAGE, ended)
    if not _gone(workers):
        run.wrong(f"{_NAME}: {number.name} leaves a process", _STAGE, ended)
    _look(run, golden, data)
    again = _wait(run, _start(run, data))
    right = again.code == 0 and _states(data) == _states(golden)
    counts[f"{_NAME}: right after one rerun"] += right
    if not right or leftovers(data):
        run.wrong(f"{_NAME}: not right after a rerun ({again.code})", _STAGE, again)
    return 1


def _look(run: Run, golden: Path, data: Path) -> None:
    """The outputs are those from before, whole, or those of this training."""
    if _states(data) == _states(golden):
        run.counts[f"{_NAME}: outputs old or new, whole"] += len(outputs(_STAGE))
    else:
        look(run, _STAGE, data, _NAME)


def _states(data: Path) -> list[str]:
    return [state(data, path) for path in outputs(_STAGE)]


def _start(run: Run, data: Path) -> subprocess.Popen[bytes]:
    words = run.project.words(_STAGE, "new", data)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    with (run.project.root / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, *launch, "-m", "raresight", *words, "--device", "cpu"],
            stdout=log,
            stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )


def _said(run: Run) -> str:
    return (run.project.root / "log").read_text(errors="replace")


def _wait(run: Run, process: subprocess.Popen[bytes]) -> Ended:
    start = time.monotonic()
    try:
        code: int | None = process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        code = None
        os.killpg(process.pid, signal.SIGKILL)
    return Ended(code=code, said=_said(run), seconds=time.monotonic() - start, peak=0)


def _workers(data: Path) -> list[int]:
    """The processes that train in ``data``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(data).encode() in words:
            found.append(int(entry.name))
    return found


def _gone(processes: list[int], seconds: float = 60.0) -> bool:
    """Whether all of them end, within so long on a busy machine."""
    end = time.monotonic() + seconds
    while any(_runs(one) for one in processes):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _runs(process: int) -> bool:
    """Whether it is there, and not ended and only not yet asked after."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
