"""One writer of an output at a time, and a name for who it is."""

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raresight.pipeline.runtime.errors import LockedError
from raresight.pipeline.runtime.system import WINDOWS


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; raises LockedError when another process holds it.

    Who holds it is written beside it. The system lets go of the lock however the process ends; the
    note stays after a kill, and says nothing as long as nobody holds the lock.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    path.open("a").close()  # what may not be written is an error of its own, and not locked
    held, note = FileLock(path, timeout=0, thread_local=False), owner_note(path)
    try:
        held.acquire()
    except Timeout:
        raise LockedError(
            f"{path} is held by {owner(path) or 'another run'}, which writes the same output. "
            "Wait for it to end, or stop it, and try again."
        ) from None
    try:
        note.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
        held.release()


def owner_note(path: Path) -> Path:
    """Where the holder of the lock ``path`` says who it is."""
    return path.with_suffix(".owner")


def owner(path: Path) -> str | None:
    """Who says that it holds the lock ``path``: ``process 4711 on host``; None if nobody."""
    try:
        return owner_note(path).read_text(encoding="utf-8", errors="replace").strip()[:200] or None
    except OSError:
        return None


def is_held(path: Path) -> bool:
    """Whether a process holds the lock ``path`` at this moment."""
    if not path.exists():
        return False
    if WINDOWS:
        try:
            os.rename(path, path)  # not while somebody has it open
        except PermissionError:
            return True
        return False
    import fcntl

    with path.open("rb") as file:  # its bytes may be another program's
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
