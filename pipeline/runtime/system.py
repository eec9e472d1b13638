"""What only some operating systems have: the C library's functions, and how files are flushed."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

WINDOWS = os.name == "nt"


def c_function(name: str) -> Callable[..., Any] | None:
    """A function of the C library; None where it has none of that name (macOS, Windows)."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (TypeError, OSError):  # Windows opens no library without a name
        return None


def flush(path: Path) -> None:
    """Return when the bytes of a file, or the names in a folder, are on the disk.

    Windows opens no folder, and keeps the names in it without being asked.
    """
    if WINDOWS and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
