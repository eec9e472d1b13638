"""How a process of ours ends: it cleans up, and it leaves none behind."""

import ctypes
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, current_thread, main_thread
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1


def end_cleanly_when_told() -> None:
    """Make SIGTERM an exception (SystemExit 143): ``with`` and ``finally`` blocks still run."""
    signal.signal(signal.SIGTERM, _exit)


@contextmanager
def stop_when_it_suits() -> Iterator[Callable[[], bool]]:
    """Hold SIGTERM back: the block asks whether it came, keeps what it has, and ends itself.

    A second SIGTERM ends it at once, and so does the end of the block after a first one that it
    has not asked for. Outside the main thread, where no handler can be set, SIGTERM is as before.
    """
    told: list[int] = []

    def note(number: int, frame: Any) -> None:
        if told:
            _exit(number, frame)
        told.append(number)

    if current_thread() is not main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGTERM, note)
    try:
        yield lambda: bool(told)
    finally:
        signal.signal(signal.SIGTERM, before)
    if told:
        _exit(told[0], None)


def end_with_parent() -> None:
    """Get SIGTERM when the parent process dies, however it dies (where there is a prctl: Linux)."""
    parent = os.getppid()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None:
        return
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died in between, and its signal is already lost
        os.kill(os.getpid(), signal.SIGTERM)


def end_with_dvc() -> None:
    """End with the DVC that runs this stage, as :func:`end_with_parent`.

    A killed ``dvc repro`` would leave its stage running otherwise, and the next one would start a
    second writer of the same output. DVC starts a stage through a shell, and some (dash) stay in
    between and outlive it: then it is the shell's parent that counts.
    """
    parent = os.getppid()
    end_with_parent()
    if hasattr(os, "pidfd_open") and "-c" in _proc(parent, "cmdline").split("\0"):
        dvc = int(_proc(parent, "stat").rpartition(")")[2].split()[1])
        Thread(target=_end_after, args=(os.pidfd_open(dvc),), daemon=True).start()


def _proc(pid: int, name: str) -> str:
    return Path("/proc", str(pid), name).read_text(encoding="utf-8", errors="replace")


def _end_after(process: int) -> None:
    select.select([process], [], [])
    os.kill(os.getpid(), signal.SIGTERM)


def start_worker() -> None:
    """Set up a worker process: it ends with its parent, which alone answers Ctrl-C."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _exit(number: int, frame: Any) -> NoReturn:
    raise SystemExit(128 + number)
