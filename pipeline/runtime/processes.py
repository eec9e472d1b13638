"""How a process of ours ends: it cleans up, and it leaves none behind."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread, Timer, current_thread, main_thread
from types import FrameType

from raresight.pipeline.runtime.system import c_function

_PR_SET_PDEATHSIG = 1
_SOON = 0.05  # seconds


def end_cleanly_when_told() -> None:
    """Make SIGTERM an exception (SystemExit 143): ``with`` and ``finally`` blocks still run.

    Python drops an exception where nobody could take it, and the process would go on as if nobody
    had told it. So while a module is being loaded both it and Ctrl-C wait for the end of that, and
    what was dropped in a finalizer or in a call from C (numba's compiler makes some) comes again.
    """
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    sys.unraisablehook = _come_again


@contextmanager
def stop_when_it_suits() -> Iterator[Callable[[], bool]]:
    """Hold SIGTERM back: the block asks whether it came, keeps what it has, and ends itself.

    A second SIGTERM ends it at once, and so does the end of the block after a first one that it
    has not asked for. Outside the main thread, where no handler can be set, SIGTERM is as before.
    """
    told: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
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
    """Get SIGTERM when the parent process dies, however it dies.

    On Linux the kernel sees to it (prctl); elsewhere a thread waits for the parent.
    """
    parent = os.getppid()
    prctl = c_function("prctl")
    if prctl is None:
        _end_with(parent)
        return
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died in between, and its signal is already lost
        os.kill(os.getpid(), signal.SIGTERM)


def end_with_dvc() -> None:
    """End with the DVC that runs this stage, as :func:`end_with_parent`.

    A killed ``dvc repro`` would leave its stage running otherwise, and the next one would start a
    second writer of the same output. DVC starts a stage through a shell, and some (dash, cmd) stay
    in between and outlive it: then it is the shell's parent that counts.
    """
    import psutil

    end_with_parent()
    try:
        parent = psutil.Process(os.getppid())
        if {"-c", "/c"}.intersection(parent.cmdline()):
            _end_with(parent.ppid())
    except psutil.Error:  # it has ended by now, or may not be looked at
        return


def _end_with(process: int) -> None:
    Thread(target=_end_after, args=(process,), daemon=True).start()


def _end_after(process: int) -> None:
    import psutil

    with suppress(psutil.NoSuchProcess):  # it was gone before it was waited for
        psutil.Process(process).wait()
    os.kill(os.getpid(), signal.SIGTERM)


def wait_without_spinning() -> None:
    """Let OpenMP's threads sleep while they wait, where the environment says nothing else.

    To be called before torch is loaded. They spin by default, which is faster by a little where a
    core is theirs alone; beside processes that read images on the same cores it took more than half
    of a small network's time.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # GNU's
    os.environ.setdefault("KMP_BLOCKTIME", "0")  # LLVM's and Intel's


def start_worker() -> None:
    """Set up a worker process: it ends with its parent, which alone answers Ctrl-C."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


_ENDING: list[int] = []  # the signals by which this process ends


def begin_command() -> None:
    """What ended an earlier command of this process does not end the next one."""
    _ENDING.clear()


def interrupted() -> bool:
    """Whether this process was told to end by Ctrl-C."""
    return signal.SIGINT in _ENDING


def what_ends(error: BaseException) -> BaseException:
    """What a command ends by: the signal, where a library made another error of it, as numpy does
    of one that comes while it reads a format."""
    if not _ENDING or isinstance(error, KeyboardInterrupt | SystemExit):
        return error
    number = _ENDING[-1]
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)


def _exit(number: int, frame: FrameType | None) -> None:
    if _loads_a_module(frame):
        _send_again(number)
        return
    _ENDING.append(number)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _come_again(dropped: "sys.UnraisableHookArgs") -> None:
    error = dropped.exc_value
    if isinstance(error, KeyboardInterrupt):
        _send_again(signal.SIGINT)
    elif isinstance(error, SystemExit) and error.code == 128 + signal.SIGTERM:
        _send_again(signal.SIGTERM)
    elif not _ENDING:  # else what a library had half made says that it was not made whole
        sys.__unraisablehook__(dropped)


def _send_again(number: int) -> None:
    again = Timer(_SOON, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _loads_a_module(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
