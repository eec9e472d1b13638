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
    return Place(name=name, kind=_in_store(name) if stores.is_url(name) else _here(Path(name)))


def _in_store(url: str) -> Kind | None:
    found = stores.kind(url)
    if found != "directory":
        return None if found is None else "file"
    return "dataset" if stores.kind(stores.joined(url, DESCRIPTION)) == "file" else "folder"


def _here(path: Path) -> Kind | None:
    if (path / DESCRIPTION).is_file():
        return "dataset"
    if path.is_dir():
        return "folder"
    return "file" if path.exists() else None
