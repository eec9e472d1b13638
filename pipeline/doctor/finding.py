"""What a check found, and how it is repaired."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

ASIDE = ".broken-"  # what the names of files that were set aside have in them
State = Literal["ok", "note", "wrong", "repaired"]


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where a project lies: the folder of dvc.yaml and dvc.lock, and its data folder."""

    root: Path
    data: Path


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor's: ``note`` is worth knowing, ``wrong`` stands in the way.

    ``repair`` mends it and says what it did; None where a person has to, as the text then says.
    """

    said: str
    state: State = "ok"
    check: str = ""
    repair: Callable[[], str] | None = None

    def repaired(self) -> "Finding":
        """The finding once it was mended."""
        if self.repair is None:
            return self
        return replace(self, state="repaired", said=self.repair(), repair=None)


def set_aside(path: Path) -> str:
    """Rename ``path`` so that nothing reads it, and nothing is lost; returns a sentence."""
    place = path.with_name(f"{path.name}{ASIDE}{time.strftime('%Y%m%d-%H%M%S')}")
    number = 1
    while place.exists():
        number += 1
        place = place.with_name(f"{place.name.partition('_')[0]}_{number}")
    path.rename(place)
    return f"{path} was set aside as {place.name}"
