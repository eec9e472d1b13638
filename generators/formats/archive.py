"""What the formats that keep many images in one file share."""

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from pydantic import Field

from raresight.generators.base import BadImages
from raresight.generators.image_file import hidden, natural, readable_name
from raresight.generators.real.columns import Columns
from raresight.generators.real.contents import Content
from raresight.generators.real.images import ImageOptions, RealImages
from raresight.generators.real.layout import split_of_name
from raresight.generators.real.row import Listing
from raresight.generators.real.rows import listing_of


class ArchiveOptions(ImageOptions):
    """Where the images are, and what the columns that come with them say.

    ``columns`` are as those of `table`: ``label`` may be a rule that makes classes of grades, and
    every column that is not named becomes a factor.
    """

    path: Annotated[str, Field(min_length=1)]
    columns: Columns = Columns()

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.path,)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What an archive holds: a ``table`` with a row an image, whose name is in the column that is
    named for ``file``; where each of them lies; and the mask of each row that has one.

    Of ``masks`` None says that none was asked for.
    """

    table: pa.Table
    contents: Sequence[Content]
    masks: Mapping[int, Content] | None = None


class Archive(RealImages):
    """Base of generators whose images are many in a file, taken in the order of the file."""

    in_file_order = True
    noun: ClassVar[str]

    config: ArchiveOptions

    @abstractmethod
    def _open(self, path: Path) -> Held:
        """What there is; BadImages where it is not what it should be."""

    @property
    def place(self) -> str:
        return f"{self.noun} '{readable_name(self.config.path)}'"

    def _list(self) -> Listing:
        path = Path(self.config.path)
        if not path.exists():
            raise FileNotFoundError(
                f"{self.place} does not exist. Put it there, or correct `path`."
            )
        held = self._open(path)
        return listing_of(
            held.table,
            self.config.columns,
            path,
            images=path if path.is_dir() else path.parent,
            contents=held.contents,
            masks=held.masks,
        )


def files_of(path: Path, suffixes: Sequence[str], place: str) -> list[Path]:
    """The file ``path``, or those below it that have one of the suffixes, in natural order."""
    if path.is_file():
        return [path]
    found = [
        one
        for one in path.rglob("*")
        if one.is_file() and one.suffix in suffixes and not hidden(one.name)
    ]
    if not found:
        raise BadImages(f"{place} has no file that ends in {' or '.join(suffixes)}.")
    return sorted(found, key=natural)


def splits_of_files(files: Iterable[Path], root: Path) -> dict[Path, str | None]:
    """The split that the name of each file begins with, or its folder has; None where none says.

    ``train-00000-of-00002.parquet``, ``validation/0000.parquet``.
    """
    return {
        file: _split_of(file.relative_to(root) if file != root else Path(file.name))
        for file in files
    }


def _split_of(file: Path) -> str | None:
    names = [re.split(r"[-_.]", file.stem)[0], *(parent.name for parent in file.parents)]
    return next((split for name in names if (split := split_of_name(name))), None)


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of rows that may have different keys; what is no plain value is left out."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        known = [value for value in values if value is not None]
        if any(isinstance(value, list | dict) for value in known):
            continue
        if not all(isinstance(value, int | float) for value in known):
            values = [None if value is None else str(value) for value in values]
        columns[name] = values
    return pa.table(columns)
