"""Real images that a table lists, with their labels and whatever else is known of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from raresight.generators.base import BadImages, Generator, Options, Record, Sample
from raresight.generators.image_file import read_image, readable_name, reason
from raresight.generators.real.checking import Checked, check, content_ids, left_out, sift
from raresight.generators.real.columns import Columns
from raresight.generators.real.masks import read_mask
from raresight.generators.real.rows import Row, Rows, read_rows


class TableOptions(Options):
    """Which table, which folder its files are relative to, and what its columns say.

    ``path``: CSV (any separator), TSV, Parquet, JSON lines or Arrow. ``images``: by default the
    folder of the table. Up to ``max_unreadable`` damaged images are skipped with a warning.
    """

    path: Annotated[str, Field(min_length=1)]
    images: Annotated[str, Field(min_length=1)] | None = None
    columns: Columns = Columns()
    max_unreadable: Annotated[int, Field(ge=0)] = 0

    @property
    def reads(self) -> tuple[str, ...]:
        return self.path, self.images or str(Path(self.path).parent)


class Table(Generator):
    """A row an image: its file and label, and if known its group, split, mask and id.

    Every other column becomes a factor, so that results can be sliced by it. An id is made from the
    file's content where no column has one; a second file of the same content gets ``-2``, and
    belongs to the first one's group.
    """

    summary = "real images that a table lists (CSV, Parquet, JSON lines, Arrow)"
    options = TableOptions
    origin = "real"
    countable = False
    factors: ClassVar = {"file": ("string", "path of the image as the table has it")}
    libraries = ("numpy", "pillow")

    config: TableOptions

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels of the table, sorted; FileNotFoundError or BadImages where it has none."""
        return tuple(sorted({row.label for row in self._rows.rows}))

    @property
    def kept_columns(self) -> tuple[str, ...]:
        known = {"mask": self._rows.has_mask, "given_split": self._rows.has_split}
        return tuple(name for name, there in known.items() if there)

    @property
    def kept_factors(self) -> Mapping[str, tuple[str, str]]:
        own = {name: (kind, "a column of the table") for name, kind in self._rows.factors.items()}
        return {**self.factors, **own}

    @property
    def prevalence(self) -> Mapping[str, float]:
        """The share of the rows of each class."""
        counts = Counter(row.label for row in self._rows.rows)
        return {label: count / counts.total() for label, count in sorted(counts.items())}

    def streams(self, name: str, **amount: Any) -> list[Sequence[Record]]:
        """Every readable image, one stream a class; each file is decoded once to find the others.

        Raises BadImages, naming every row that is wrong and every file that cannot be read.
        """
        place = f"table '{readable_name(self.config.path)}'"
        good = sift(self._checked, place, max_unreadable=self.config.max_unreadable)
        made = dict(zip(good, content_ids(name, good.values()), strict=True))
        records: dict[str, list[Record]] = {label: [] for label in self.classes}
        for row in self._rows.rows:
            if row.path not in made:
                continue
            id, same = made[row.path]
            records[row.label].append(
                Record(
                    id=f"{name}-{row.id}" if row.id else id,
                    label=row.label,
                    path=row.path,
                    group=row.group or same,
                    given_split=row.given_split,
                )
            )
        for label, found in records.items():
            if not found:
                raise BadImages(f"{place} has no readable image of class '{label}'.")
        return list(records.values())

    def left_out(self) -> Mapping[str, Mapping[str, str]]:
        return left_out(self._checked)

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Read the record's file, and its mask where there is one; nothing is random."""
        row = self._row_of[record.file]
        try:
            image = read_image(row.path, self.image_size)
        except Exception as error:
            raise BadImages(f"{readable_name(str(row.path))}: {reason(error)}.") from None
        return Sample(
            image=image,
            label=record.label,
            mask=None if row.mask is None else read_mask(row.mask, row.path, self.image_size),
            given_split=record.given_split,
            factors={"file": readable_name(row.file), **row.factors},
        )

    @property
    def _rows(self) -> Rows:
        images = None if self.config.images is None else Path(self.config.images)
        return read_rows(Path(self.config.path), images, self.config.columns)

    @cached_property
    def _row_of(self) -> dict[Path, Row]:
        return {row.path: row for row in self._rows.rows}

    @cached_property
    def _checked(self) -> list[Checked]:
        return check([row.path for row in self._rows.rows])
