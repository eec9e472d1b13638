"""Many small jobs in a process that has everything loaded: one that crashes or hangs costs one."""

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.torture.child import WAITING, computed
from raresight.pipeline.runtime.errors import RaresightError, message_and_code

HANG = 10.0  # seconds of computing after which a job hangs


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of a job: ``kind`` is ``read``, ``refused``, ``unexpected``, ``crash`` or ``hang``;
    ``code`` is the exit code that the command would end with, ``peak`` bytes of the process."""

    kind: str
    said: str = ""
    code: int = 0
    seconds: float = 0.0
    peak: int = 0


def in_batches(jobs: Sequence[Callable[[], None]], log: Path) -> Iterator[Done]:
    """Call each job in a forked process, which goes on as long as none ends it.

    A job raises what a command would; what it prints goes to ``log``.
    """
    at = 0
    while at < len(jobs):
        process, told = _start(jobs[at:], log)
        try:
            while at < len(jobs):
                found = _next(process, told)
                yield found
                at += 1
                if found.kind in ("crash", "hang"):
                    break
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)
            os.close(told)


def _start(jobs: Sequence[Callable[[], None]], log: Path) -> tuple[int, int]:
    told, tell = os.pipe()
    process = os.fork()
    if process:
        os.close(tell)
        return process, told
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        for job in jobs:
            os.write(tell, (json.dumps(vars(_do(job))) + "\n").encode())
    finally:  # whatever happens: this process must not go on as if it were its parent
        os._exit(0)


def _do(job: Callable[[], None]) -> Done:
    start, kind, said, code = time.process_time(), "read", "", 0
    try:
        job()
    except RaresightError as error:
        kind, said, code = "refused", str(error), error.exit_code
    except Exception as error:
        traceback.print_exc()
        said, code = message_and_code(error) or ("", 0)
        kind = "unexpected" if "unexpected" in said else "refused"
        if kind == "unexpected":
            said += " at " + _where(error)
    sys.stdout.flush()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = time.process_time() - start
    return Done(kind=kind, said=said[:600], code=code, seconds=seconds, peak=peak)


def _where(error: Exception) -> str:
    """The innermost lines of our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f"{Path(one.filename).name}:{one.lineno}" for one in frames if "pipeline" in one.filename
    ]
    return " < ".join(own[::-1][:3])


def _next(process: int, told: int) -> Done:
    """What the process says of its next job, a line."""
    line, start, begun = b"", time.monotonic(), computed(process)
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([told], [], [], 0.5)
        if ready:
            part = os.read(told, 1)
            if not part:
                _, status = os.waitpid(process, 0)
                return Done(kind="crash", code=os.waitstatus_to_exitcode(status))
            line += part
        elif computed(process) - begun > HANG or time.monotonic() - start > WAITING:
            return Done(kind="hang", seconds=computed(process) - begun)
    return Done(**json.loads(line))
