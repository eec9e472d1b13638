"""Samples on their way into a shard: columns that are filled row by row."""

from collections.abc import Sequence

import numpy as np

from raresight.generators.base import Generator, Record
from raresight.pipeline.dataset.schema import PIXELS, Description, Rows
from raresight.pipeline.generation.corruptions import Drawn


class Collector:
    """Room for the samples of ``records``, with the columns that the generator declares."""

    def __init__(self, generator: Generator, records: Sequence[Record], description: Description):
        count, shape = len(records), description.image_shape
        self._generator = generator
        self._records = records
        self._images = np.empty((count, *shape), np.uint8)
        self._masks = np.zeros((count, *shape[:2]), np.uint8) if generator.has_masks else None
        self._factors: dict[str, list[float | str | None]] = {
            name: [None] * count for name in (*generator.factors, "fault")
        }
        self._labels, self._source_ids = [""] * count, [""] * count
        self._boxes: list[Sequence[tuple[float, float, float, float]]] | None = None
        if "boxes" in generator.columns:
            self._boxes = [()] * count
        self._pixels = {
            name: np.empty((count, *shape[:2]), PIXELS[name])
            for name in generator.columns
            if name in PIXELS
        }

    def put(self, row: int, drawn: Drawn) -> None:
        """Keep one sample; ValueError where it lacks a column that its generator declares."""
        sample = drawn.sample
        self._labels[row], self._source_ids[row] = drawn.label, drawn.source_id
        self._factors["fault"][row] = drawn.fault
        self._images[row] = sample.image
        if self._masks is not None and sample.mask is not None:
            self._masks[row] = sample.mask
        if self._boxes is not None:
            self._boxes[row] = sample.boxes
        for name, pixels in self._pixels.items():
            if (values := getattr(sample, name)) is None:
                kind, record = type(self._generator).__name__, self._records[row].id
                raise ValueError(f"{kind} declares the column {name}, but {record} has none")
            pixels[row] = values
        for name, value in sample.factors.items():
            self._factors[name][row] = value

    def rows(self) -> Rows:
        """All of them, once each has been put."""
        ids = [record.id for record in self._records]
        return Rows(
            ids=ids,
            source_ids=self._source_ids,
            origin=self._generator.origin,
            labels=self._labels,
            true_labels=[record.label for record in self._records],
            variants=[0] * len(ids),
            images=self._images,
            masks=self._masks,
            factors=self._factors,
            boxes=self._boxes,
            **self._pixels,
        )
