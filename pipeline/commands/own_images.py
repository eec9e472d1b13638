"""What lies in a folder or a table of somebody's images, so that params can be written for it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from raresight.generators.base import BadImages, Record
from raresight.generators.real.columns import CALLED_OTHERWISE, Columns, columns_called
from raresight.generators.real.contents import File
from raresight.generators.real.images import RealImages
from raresight.generators.real.layout import split_of_name
from raresight.generators.real.sizes import Sizes
from raresight.generators.real.tables import read_table
from raresight.pipeline.generation.params import Source
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError, listing, suggest
from raresight.pipeline.splitting.assignment import Images, split_images
from raresight.pipeline.splitting.params import SplitParams
from raresight.pipeline.splitting.problems import gaps, group_problems


@dataclass(frozen=True, kw_only=True)
class Found:
    """The images of a source: ``options`` are those of its ``generator``, but for the path.

    ``files`` are all that it reads, each with its place below the folder of the project's images;
    ``sizes`` those of the images.
    """

    generator: str
    options: Mapping[str, Any]
    records: tuple[Record, ...]
    files: Mapping[Path, str]
    sizes: Sizes

    @property
    def counts(self) -> Counter[str]:
        return Counter(record.label for record in self.records)


def look_at_folder(images: Path, *, group: str | None = None) -> Found:
    """The images below ``images``, one subfolder a class, or a split with the classes in each."""
    if not images.is_dir():
        raise InputMissing(f"{images} is not a folder.")
    options: dict[str, Any] = {}
    splits = {split_of_name(path.name) for path in images.iterdir() if path.is_dir()}
    if splits >= {"train", "test"}:
        options["split_folders"] = True
    if group is not None:
        options["group"] = group
    generator, records = _records("folder", {"path": str(images), **options})
    files = {record.file: record.file.relative_to(images).as_posix() for record in records}
    return Found(
        generator="folder",
        options=options,
        records=records,
        files=files,
        sizes=generator.sizes,
    )


def look_at_table(
    table: Path,
    *,
    images: Path | None = None,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
) -> Found:
    """The images that a table lists; ``columns`` names the column of a role (file, label, ...).

    Where none is named, one that is called as people call it is taken.
    """
    asked = {**(columns or {}), **({} if group is None else {"group": group})}
    if unknown := sorted(set(asked) - set(Columns.model_fields)):
        raise ParamsError(
            f"--column: no role '{unknown[0]}'. {suggest(unknown[0], list(Columns.model_fields))}"
        )
    try:
        names = read_table(table).column_names
    except FileNotFoundError:
        raise InputMissing(f"{table} does not exist.") from None
    except ValueError as error:
        raise DataError(str(error)) from None
    chosen = {**_recognized(names, asked), **asked}
    where = table.parent if images is None else images
    options = {"columns": chosen} if chosen else {}
    given = {"path": str(table), "images": str(where), **options}
    generator, records = _records("table", given)
    contents = [content for row in generator.rows for content in (row.content, row.mask)]
    places = [content.path for content in contents if isinstance(content, File)]
    outside = [place for place in places if not place.resolve().is_relative_to(where.resolve())]
    if outside:
        raise DataError(
            f"{table} lists files that are not below {where}, such as {outside[0]}. Name the "
            "folder that its paths start from with --images."
        )
    files = {place: place.resolve().relative_to(where.resolve()).as_posix() for place in places}
    return Found(
        generator="table",
        options=options,
        records=records,
        files={**files, table: table.name},
        sizes=generator.sizes,
    )


def _recognized(names: Sequence[str], asked: Mapping[str, str]) -> dict[str, str]:
    """The column of each role that is called otherwise, where exactly one is called like it."""
    found: dict[str, str] = {}
    for role in CALLED_OTHERWISE:
        if role in asked or role in names:
            continue
        fitting = columns_called(role, names, (*asked.values(), *found.values()))
        if len(fitting) == 1:
            found[role] = fitting[0]
    return found


def _records(name: str, options: Mapping[str, Any]) -> tuple[RealImages, tuple[Record, ...]]:
    """The generator of that name, which has looked at the images, and their records."""
    source = Source(generator=name, options=options)
    generator = source.build((64, 64))
    assert isinstance(generator, RealImages)
    try:
        streams = generator.streams(source.id_prefix)
    except (BadImages, OSError) as error:
        ways = (
            " With init: --column file=NAME --column label=NAME."
            if "`columns`" in str(error)
            else ""
        )
        raise DataError(f"{error}{ways}") from None
    return generator, tuple(record for stream in streams for record in stream)


def first_splits(found: Found) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The split of every group, balanced, and of each class the splits that it misses.

    DataError where a group is given to two splits.
    """
    params = SplitParams()
    labels = np.array([record.label for record in found.records])
    images = Images(
        sources=np.full(len(labels), found.generator),
        shares={found.generator: params.ratios.model_dump()},
        labels=labels,
        true_labels=labels,
        groups=np.array([record.group or record.id for record in found.records]),
        given=np.array([record.given_split or "" for record in found.records]),
    )
    names = np.array([found.files[record.file] for record in found.records])
    if problems := group_problems(images, names, {}):
        raise DataError(f"a group stays together, but\n{listing(problems)}")
    splits = split_images(images, params, {})
    missing: dict[str, list[str]] = {}
    for label, split in gaps(images, splits, sorted(found.counts), params, kept=True):
        missing.setdefault(label, []).append(split)
    return dict(zip(images.groups.tolist(), splits.tolist(), strict=True)), missing
