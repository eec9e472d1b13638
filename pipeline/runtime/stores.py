"""Files in stores that a URL names (s3, gs, az, https, memory, ...), through fsspec."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raresight.pipeline.runtime.errors import (
    DeviceError,
    InputMissing,
    OutputError,
    ParamsError,
    RaresightError,
    suggest,
)

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://")  # two letters or more: no drive of Windows


def is_url(name: str | Path) -> bool:
    """Whether a name is a URL, and not a path."""
    return _URL.match(str(name)) is not None


def place(url: str) -> tuple[Any, str]:
    """fsspec's file system of a URL, and the path there.

    Raises ParamsError for a protocol that nobody knows, DeviceError where its package is not there.
    """
    from fsspec import available_protocols
    from fsspec.core import url_to_fs

    protocol = url.split("://")[0]
    if protocol.split("::")[-1] not in available_protocols():
        raise ParamsError(
            f"{url}: no such protocol. {suggest(protocol, available_protocols(), 12)}"
        )
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        raise DeviceError(
            f"{url}: a package for {protocol}:// is missing. {_told(error)} "
            "(`pip install`, beside Raresight)."
        ) from None
    except Exception as error:  # each store has errors of its own
        raise ParamsError(f"{url} is no address that can be opened: {_told(error)}.") from error
    return system, str(path)


def as_path(name: str) -> str:
    """``file://`` URLs as the paths that they are; other names as they stand."""
    if not is_url(name) or not name.lower().startswith(("file://", "local://")):
        return name
    return place(name)[1]


def joined(folder: str | Path, name: str) -> str:
    """A file's name as it is meant from ``folder``, a path or a URL; absolute names stay."""
    if is_url(name) or not is_url(folder):
        return name if is_url(name) else str(Path(folder) / name)
    return f"{str(folder).rstrip('/')}/{name}"


def read_bytes(url: str) -> bytes:
    """All of a file. Raises InputMissing where it is not there, or cannot be read."""
    system, path = place(url)
    with _reached(url):
        found: bytes = system.cat_file(path)
        return found


def fetch(url: str, to: Path) -> None:
    """Copy a file from a store to the path ``to``; raises as :func:`read_bytes`."""
    system, path = place(url)
    with _reached(url):
        system.get_file(path, str(to))


def kind(url: str) -> str | None:
    """``file`` or ``directory``, or None where there is nothing; raises InputMissing where the
    store cannot be reached."""
    system, path = place(url)
    with _reached(url):
        try:
            found: str = system.info(path)["type"]
        except FileNotFoundError:
            return None
        return found


def files_below(url: str, skipped: Callable[[str], bool]) -> list[str]:
    """The URL of every file at any depth; nothing whose name, or a folder's, is ``skipped``."""
    system, path = place(url)
    with _reached(url):
        found = system.find(path)
    root = len(path.rstrip("/"))
    here = [name for name in found if not any(map(skipped, name[root:].split("/")))]
    return [str(system.unstrip_protocol(name)) for name in here]


def put(file: Path, url: str) -> None:
    """Copy ``file`` to a store. Raises OutputError where that fails."""
    system, path = place(url)
    try:
        if parent := path.rpartition("/")[0]:
            system.makedirs(parent, exist_ok=True)
        system.put_file(str(file), path)
    except Exception as error:  # each store has errors of its own
        raise OutputError(f"{url} cannot be written: {_told(error)}.") from error


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except RaresightError:
        raise
    except FileNotFoundError:
        raise InputMissing(f"{url} does not exist.") from None
    except Exception as error:  # each store has errors of its own
        raise InputMissing(f"{url} cannot be read: {_told(error)}.") from error


def _told(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:300].rstrip(".")
