"""The table of splits: one row an image, originals first, then their copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from raresight.pipeline.core.arrow import read_arrow
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import SPLITS as SPLITS
from raresight.pipeline.runtime.errors import DataError

FILE = "splits.arrow"
Strings = Sequence[str] | np.ndarray
UNUSED = "unused"  # a copy whose source is not in train
_SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "source_id", "group", "split")])


@dataclass(frozen=True)
class Splits:
    """Which split each image of the pipeline belongs to.

    ``table`` has the string columns ``id``, ``source_id``, ``group`` (what was assigned as one, and
    is resampled as one; the source where nothing is known) and ``split``: ``train``, ``val``,
    ``test`` or, for a copy that nobody may learn from, ``unused``.
    """

    table: pa.Table

    def rows(self, dataset: Dataset, split: str) -> np.ndarray:
        """The row numbers, ascending, of the images of ``dataset`` that are in ``split``.

        Raises DataError when the dataset holds images that were not there at the time of the split.
        """
        found: np.ndarray = pc.equal(self._of(dataset, "split"), split).to_numpy()
        return np.flatnonzero(found)

    def groups(self, dataset: Dataset) -> np.ndarray:
        """The group of every image of ``dataset``, str (n,); DataError as for :meth:`rows`."""
        found: np.ndarray = self._of(dataset, "group").to_numpy()
        return found.astype(str)

    def _of(self, dataset: Dataset, column: str) -> pa.ChunkedArray:
        """A column of the table, in the order of the dataset's rows."""
        found = pc.index_in(pa.array(dataset.ids, pa.string()), value_set=self.table["id"])
        if found.null_count:
            raise DataError(
                f"{found.null_count} images of {dataset.folder} are in no split "
                f"(the first: {dataset.ids[found.is_null().to_numpy(False)][0]}). "
                "Run `raresight split` again."
            )
        return self.table[column].take(found)


def make_table(
    *,
    ids: Strings | pa.ChunkedArray,
    source_ids: Strings | pa.ChunkedArray,
    groups: Strings | pa.ChunkedArray,
    splits: Strings,
) -> pa.Table:
    """Four columns of equal length n as the table that :func:`write_splits` stores."""
    columns = (ids, source_ids, groups, splits)
    found = [
        column if isinstance(column, pa.ChunkedArray) else pa.array(column, pa.string())
        for column in columns
    ]
    return pa.table(found, _SCHEMA)


def write_splits(folder: Path, table: pa.Table) -> None:
    """Store the table as one record batch, so that the same rows give the same bytes."""
    with pa.OSFile(str(folder / FILE), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        writer.write_table(table.combine_chunks())


def read_splits(folder: Path) -> Splits:
    """The table in ``folder``; InputMissing when there is none, DataError when it is damaged."""
    path = folder / FILE
    table = read_arrow(path, missing="Run `raresight split` first.")
    if table.schema != _SCHEMA:
        raise DataError(
            f"{path} has the columns {', '.join(table.column_names)}, not "
            f"{', '.join(_SCHEMA.names)}. Run `raresight split` again."
        )
    known = pa.array([*SPLITS, UNUSED])
    if not pc.all(pc.is_in(table["split"], value_set=known), min_count=0).as_py():
        found = sorted(map(str, set(table["split"].unique().to_pylist()) - {*known.to_pylist()}))
        raise DataError(
            f"{path} names a split {found[0]!r}: there are {', '.join(known.to_pylist())}. "
            "Run `raresight split` again."
        )
    return Splits(table)
