"""WebDataset: tar files in which the files of one sample share their name up to its first dot."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raresight.generators.base import BadImages
from raresight.generators.formats.archive import (
    Archive,
    ArchiveOptions,
    Held,
    files_of,
    splits_of_files,
    table_of,
)
from raresight.generators.image_file import named_as_image
from raresight.generators.real.contents import Content


class WebDatasetOptions(ArchiveOptions):
    """Where the tar files are, and which field has the image, where a sample has several.

    ``path``: a .tar, or a folder with such. The field ``cls`` (or ``txt``) is the column ``label``,
    where the field ``json`` has none; all that ``json`` has are columns.
    """

    image: str | None = None


class WebDataset(Archive):
    """A sample an image, in the order of the files; splits are those of the files' names."""

    summary = "real images of a WebDataset (tar)"
    options = WebDatasetOptions
    noun = "dataset"

    config: WebDatasetOptions

    def _open(self, path: Path) -> Held:
        files = files_of(path, (".tar",), self.place)
        splits = splits_of_files(files, path)
        given = all(splits.values()) and path.is_dir()
        own = self.config.columns
        rows: list[dict[str, Any]] = []
        contents: list[Content] = []
        for file in files:
            for key, fields in self._samples(file):
                content = self._image_of(file, key, fields)
                row = self._columns_of(file, key, fields)
                stem = f"{file.relative_to(path).as_posix()}/" if path.is_dir() else ""
                row[own.file] = f"{stem}{key}"
                if given and own.split is not None:
                    row.setdefault(own.split, splits[file])
                rows.append(row)
                contents.append(content)
        return Held(table=table_of(rows), contents=contents)

    def _samples(self, file: Path) -> Iterator[tuple[str, dict[str, "Span"]]]:
        """The files of each sample, by what follows the first dot of their names."""
        key, fields = "", dict[str, Span]()
        try:
            with tarfile.open(file, "r:") as archive:
                for member in archive:
                    if not member.isfile():
                        continue
                    folder, slash, name = member.name.rpartition("/")
                    stem, _, field = name.partition(".")
                    if not stem:
                        continue
                    if (new := f"{folder}{slash}{stem}") != key:
                        if fields:
                            yield key, fields
                        key, fields = new, {}
                    fields[field.lower()] = Span(
                        path=str(file), member=member.name, at=member.offset_data, size=member.size
                    )
        except tarfile.ReadError as error:
            raise BadImages(
                f"{file} is no tar that can be read in any order ({str(error).rstrip('.')}): one "
                "that is compressed has to be unpacked first."
            ) from None
        if fields:
            yield key, fields

    def _image_of(self, file: Path, key: str, fields: dict[str, "Span"]) -> "Span":
        named = [name for name in fields if named_as_image(Path(f"x.{name}"))]
        asked = self.config.image
        if asked is not None:
            named = [name for name in fields if name == asked.lower()]
        if len(named) != 1:
            what = f"no field '{asked}'" if asked else f"{len(named) or 'no'} images"
            raise BadImages(
                f"{file}: sample '{key}' has {what} among {', '.join(fields)}. Say below `options` "
                "which field has it, such as `image: jpg`."
            )
        return fields[named[0]]

    def _columns_of(self, file: Path, key: str, fields: dict[str, "Span"]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        try:
            for name in ("txt", "cls"):
                if name in fields:
                    row["label"] = fields[name].read().decode().strip()
            if "json" in fields:
                row |= json.loads(fields["json"].read())
        except (ValueError, TypeError) as error:
            raise BadImages(f"{file}: sample '{key}' cannot be read: {error}.") from None
        return row


@dataclass(frozen=True, kw_only=True)
class Span(Content):
    """So many bytes of a file, from a place on."""

    path: str
    member: str
    at: int
    size: int

    def read(self) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(self.at)
            return file.read(self.size)

    @property
    def name(self) -> str:
        return f"{self.path}/{self.member}"
