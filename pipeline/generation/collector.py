"""Samples on their way into a shard: columns that are filled row by row."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from raresight.generators.base import Generator, Record
from raresight.pipeline.dataset.schema import COLUMNS, Description, Rows
from raresight.pipeline.generation.corruptions import CORRUPTION, Drawn


class Collector:
    """Room for the samples of ``records``, with the columns that the generator declares."""

    def __init__(self, generator: Generator, records: Sequence[Record], description: Description):
        count, self._shape = len(records), description.image_shape
        self._generator = generator
        self._records = records
        self._images = np.empty((count, *self._shape), np.uint8)
        self._columns: dict[str, list[Any]] = {
            name: [None] * count for name in generator.kept_columns
        }
        self._factors: dict[str, list[float | str | None]] = {
            name: [None] * count for name in (*generator.kept_factors, CORRUPTION)
        }
        self._labels, self._source_ids, self._groups = [""] * count, [""] * count, [""] * count

    def put(self, row: int, drawn: Drawn) -> None:
        """Keep one sample; ValueError where it lacks a column that its generator declares."""
        sample = drawn.sample
        self._labels[row] = drawn.label
        self._source_ids[row], self._groups[row] = drawn.source_id, drawn.group
        self._factors[CORRUPTION][row] = drawn.corruption
        self._images[row] = sample.image
        for name, column in self._columns.items():
            column[row] = self._kept(name, getattr(sample, name), self._records[row])
        for name, value in sample.factors.items():
            self._factors[name][row] = value

    def _kept(self, name: str, value: Any, record: Record) -> Any:
        try:
            if value is None and self._generator.countable:  # what is drawn is known
                raise ValueError("none")
            return COLUMNS[name].kind.kept(value, self._shape)
        except ValueError as error:
            kind = type(self._generator).__name__
            raise ValueError(
                f"{kind} declares the column {name}, but {record.id} has {error}"
            ) from None

    def rows(self) -> Rows:
        """All of them, once each has been put."""
        ids = [record.id for record in self._records]
        return Rows(
            ids=ids,
            source_ids=self._source_ids,
            groups=self._groups,
            origin=self._generator.origin,
            labels=self._labels,
            true_labels=[record.label for record in self._records],
            variants=[0] * len(ids),
            images=self._images,
            columns=self._columns,
            factors=self._factors,
        )
