"""Samples on their way into a shard: columns that are filled row by row."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from raresight.generators.base import Generator, Record
from raresight.pipeline.dataset.columns import Shape
from raresight.pipeline.dataset.schema import COLUMNS, Rows
from raresight.pipeline.generation.corruptions import CORRUPTION, Drawn


class Collector:
    """Room for ``count`` samples, with the ``columns`` and ``factors`` that the generator keeps.

    ``origin`` is the generator's own unless given.
    """

    def __init__(
        self,
        generator: Generator,
        count: int,
        *,
        shape: Shape,
        columns: Sequence[str],
        factors: Sequence[str],
        origin: str | None = None,
    ):
        self._shape = shape
        self._generator = generator
        self._origin = origin or generator.origin
        self._images = np.empty((count, *self._shape), np.uint8)
        self._columns: dict[str, list[Any]] = {name: [] for name in columns}
        self._factors: dict[str, list[float | str | None]] = {
            name: [] for name in (*factors, CORRUPTION)
        }
        self._records: list[Record] = []
        self._labels: list[str] = []
        self._source_ids: list[str] = []
        self._groups: list[str] = []

    def put(self, record: Record, drawn: Drawn) -> None:
        """Keep one sample; ValueError where it lacks a column that its generator declares."""
        sample = drawn.sample
        kept = {name: self._kept(name, getattr(sample, name), record) for name in self._columns}
        self._images[len(self._records)] = sample.image
        self._records.append(record)
        self._labels.append(drawn.label)
        self._source_ids.append(drawn.source_id)
        self._groups.append(drawn.group)
        for name, value in kept.items():
            self._columns[name].append(value)
        factors = {**sample.factors, CORRUPTION: drawn.corruption}
        for name, column in self._factors.items():
            column.append(factors.get(name))

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
            origin=self._origin,
            labels=self._labels,
            true_labels=[record.label for record in self._records],
            variants=[0] * len(ids),
            images=self._images[: len(ids)],
            columns=self._columns,
            factors=self._factors,
        )
