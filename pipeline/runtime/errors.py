"""Errors meant for the person who runs the program.

    RaresightError      1   a check failed
    ├── ParamsError     2   params.yaml or the command line is wrong
    ├── DataError      65   the data is bad
    ├── InputMissing   66   an input is not there
    ├── OutputError    74   an output cannot be written
    ├── LockedError    75   another run writes the same output
    ├── DivergedError  76   training diverged
    ├── UnsafeError    77   refused because it could do harm
    ├── DeviceError    78   the device or an optional engine is not there
    └── StoppedError  143   told to stop, and what was done is kept

Each carries the exit code of the process. The message is one text that says what is wrong, where,
which value, and what to do; DVC shows only a stage's last lines on stderr, so it has to be enough.
"""

import difflib
import errno
from collections.abc import Iterable

from raresight.pipeline.runtime.installation import as_installed

_CANNOT_WRITE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.ENAMETOOLONG,
}


class RaresightError(Exception):
    """What went wrong, for the person who can mend it; the base of every error of Raresight."""

    exit_code = 1


class ParamsError(RaresightError):
    exit_code = 2


class DataError(RaresightError):
    exit_code = 65


class InputMissing(RaresightError):
    exit_code = 66


class OutputError(RaresightError):
    exit_code = 74


class LockedError(RaresightError):
    exit_code = 75


class DivergedError(RaresightError):
    exit_code = 76


class UnsafeError(RaresightError):
    exit_code = 77


class DeviceError(RaresightError):
    exit_code = 78


class StoppedError(RaresightError):
    exit_code = 143


def suggest(word: str, known: Iterable[str], limit: int | None = None) -> str:
    """The known words, nearest first, as a sentence: ``Did you mean 'a'? Known: a, b.``

    At most ``limit`` of them, and how many more there are.
    """
    known = list(known)
    near = difflib.get_close_matches(str(word), known, n=3, cutoff=0.5)
    shown = [*near, *(name for name in known if name not in near)][:limit]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"{hint}Known: {', '.join(shown) or 'none'}{more}."


def listing(items: Iterable[str], limit: int = 20) -> str:
    """At most ``limit`` items, one a line and indented; says how many were left out."""
    items = list(items)
    lines = [f"  {item}" for item in items[:limit]]
    if len(items) > limit:
        lines.append(f"  ... and {len(items) - limit} more")
    return "\n".join(lines)


def message_and_code(error: BaseException) -> tuple[str, int] | None:
    """The message and the exit code an exception ends the program with; None for a plain exit."""
    untouched = "Outputs of earlier runs are as they were."
    match error:
        case RaresightError():
            return as_installed(str(error)), error.exit_code
        case KeyboardInterrupt():
            return f"interrupted. {untouched}", 130
        case SystemExit(code=143):
            return f"told to stop (SIGTERM). {untouched}", 143
        case SystemExit():
            return None
        case OSError(errno=number) if number in _CANNOT_WRITE:
            place = error.filename or "an output cannot be written"
            return f"{place}: {error.strerror}. {untouched}", OutputError.exit_code
    text = " ".join(str(error).split())[:300]
    advice = "Run `raresight --debug ...` again for the traceback."
    return f"unexpected {type(error).__name__}: {text}\n{advice}", RaresightError.exit_code
