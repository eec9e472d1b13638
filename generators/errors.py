"""What generators raise when images cannot be read or drawn; they know no error of the pipeline."""

from collections.abc import Sequence


class BadImages(ValueError):
    """The images that a generator was pointed at cannot be used; the message lists them by name.

    ``details`` are all of them, a line each, where the message shows some.
    """

    def __init__(self, message: str, *, details: Sequence[str] = ()):
        super().__init__(message)
        self.details = details


class Unreadable(BadImages):
    """One image of a source cannot be read; the others can. ``file`` names it, ``why`` says why."""

    def __init__(self, file: str, why: str):
        super().__init__(f"{file}: {why}.")
        self.file = file
        self.why = why


class Unavailable(RuntimeError):
    """A library or a device that a generator needs is not there; the message says how to get it."""


class CannotDraw(RuntimeError):
    """A class does not come about under the options given; the message says which to change."""
