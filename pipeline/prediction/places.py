"""What the name of an input stands for, on this machine or in a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from raresight.generators.image_file import files_below, hidden
from raresight.pipeline.dataset.schema import DESCRIPTION
from raresight.pipeline.runtime import stores

Kind = Literal["file", "folder", "dataset"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A path or a URL, and what is there: None where there is nothing."""

    name: str
    kind: Kind | None

    def files(self) -> Sequence[str]:
        """Every file of a folder, at any depth, but hidden ones."""
        if stores.is_url(self.name):
            return stores.files_below(self.name, hidden)
        return [str(file) for file in files_below(Path(self.name))]


def place_of(name: str) -> Place:
    """The place of that name; ``file://`` URLs are paths. Raises as :func:`stores.kind`."""
    name = stores.as_path(name)
    kind: Kind | None
    if stores.is_url(name):
        found = stores.kind(name)
        kind = found and ("folder" if found == "directory" else "file")
        if kind == "folder" and stores.kind(stores.joined(name, DESCRIPTION)) == "file":
            kind = "dataset"
    elif Path(name, DESCRIPTION).is_file():
        kind = "dataset"
    elif Path(name).is_dir():
        kind = "folder"
    else:
        kind = "file" if Path(name).exists() else None
    return Place(name=name, kind=kind)
