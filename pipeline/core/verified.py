"""What was read and found right already: each stage's inputs are hashed once a change.

Beside an output folder lies ``.NAME.verified``: the sha256 of each file that was found to be what
its manifest says, and what the file system said of it then. As long as size, inode and both times
(of its bytes, and of its entry, which nobody can set) are the same, nobody has written to it.
`raresight verify` does not look there, and reads everything.
"""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

# Two writes within one tick of the file system's clock leave the same times.
_TICK = 100_000_000  # nanoseconds; the coarsest clocks of today's file systems tick every 10 ms


class Verified:
    """The record of one folder. A record that cannot be read or written is as good as none."""

    def __init__(self, folder: Path):
        self._path = folder.parent / f".{folder.name}.verified"
        self._known: dict[str, Any] = _read(self._path)
        self._held: dict[str, Any] = {}

    def holds(self, name: str, path: Path, digest: str) -> bool:
        """Whether ``path`` was seen with this sha256 and has not been written to since."""
        entry = self._known.get(name)
        if entry != [digest, *_stamp(path.stat())]:
            return False
        self._held[name] = entry
        return True

    def add(self, name: str, before: os.stat_result, digest: str) -> None:
        """Keep that the file which was as ``before`` has this sha256."""
        if time.time_ns() - before.st_ctime_ns > _TICK:
            self._held[name] = [digest, *_stamp(before)]

    def save(self) -> None:
        """Write down what holds now."""
        if self._held == self._known:
            return
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        with contextlib.suppress(OSError):
            try:
                new.write_text(json.dumps(self._held))
                os.replace(new, self._path)
            finally:
                new.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _stamp(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino
