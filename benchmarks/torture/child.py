"""A stage in a process of its own: started, stopped at a moment, and what it ended with."""

import contextlib
import math
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import psutil

from raresight.pipeline.cli import main

# A process hangs that has computed for so many seconds, or has not ended after so many by the
# clock. Its own time counts, as a busy machine may give it a tenth of a core: a report, which
# computes for 2 to 5 s, once took over a minute so, and was taken for a hang.
COMPUTING, WAITING = 30.0, 600.0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended: ``code`` as a shell has it, negative for a signal, None for a hang."""

    code: int | None
    said: str
    seconds: float
    peak: int  # bytes

    @property
    def unexpected(self) -> bool:
        """Whether an error was none that is meant for a person, or the process crashed."""
        crash = self.code is not None and self.code < 0 and self.code not in (-9, -15, -2)
        return crash or "error: unexpected" in self.said or "Traceback" in self.said


def run(
    words: list[str],
    *,
    log: Path,
    before: Callable[[], None] = lambda: None,
    number: int | None = None,
    after: float = 0.0,
    computing: float = COMPUTING,
) -> Ended:
    """Run ``raresight WORDS``; ``before`` is called in its process, whose group gets the signal
    ``number`` ``after`` seconds where one is given."""
    start = time.perf_counter()
    process = os.fork()
    if process == 0:
        code = 70
        try:
            code = _become(words, log, before)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        except BaseException:
            traceback.print_exc()
        finally:  # whatever happens: this process must not go on as if it were its parent
            os._exit(code)
    with contextlib.suppress(OSError):
        os.setpgid(process, process)
    code = None
    if number is not None:
        code = _wait(process, waiting=after)
        if code is None:
            os.killpg(process, number)
    if code is None:
        code = _wait(process, computing=computing)
    if code is None:
        os.killpg(process, signal.SIGKILL)
        _wait(process)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    said = log.read_text(errors="replace") if log.exists() else ""
    return Ended(code=code, said=said, seconds=time.perf_counter() - start, peak=peak)


def _become(words: list[str], log: Path, before: Callable[[], None]) -> int:
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until it is raresight's to answer
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["raresight", *words]
    try:
        before()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return main()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # from here on it is no stage any more
            signal.signal(number, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        with contextlib.suppress(OSError):
            _modules(log).write_text("\n".join(sys.modules))


def load_as(log: Path) -> None:
    """Load what the last process had loaded at its end: the next one need not."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it would ask the network for a newer version
    for name in _modules(log).read_text().splitlines():
        with contextlib.suppress(Exception):
            import_module(name)


def _modules(log: Path) -> Path:
    return log.with_suffix(".modules")


def _wait(process: int, *, computing: float = math.inf, waiting: float = WAITING) -> int | None:
    """What the process ended with; None where it has not, after so many seconds."""
    end = time.perf_counter() + waiting
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.perf_counter() >= end or computed(process) >= computing:
            return None
        time.sleep(0.001)


def computed(process: int) -> float:
    """The seconds that a process, and those of its children that have ended, have computed for."""
    try:
        times = psutil.Process(process).cpu_times()
    except psutil.Error:
        return 0.0
    return sum(times[:4])
