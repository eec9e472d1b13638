"""Contact sheets: what the images of each class look like, and what their copies look like."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.report.images.pictures import Picture, picture

_MOST_CLASSES = 30
_SOURCES, _COPIES = 4, 7


@dataclass(frozen=True, kw_only=True)
class Band:
    """Images of one class: ``count`` are in the dataset, a share of ``share``."""

    label: str
    count: int
    share: float
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, kw_only=True)
class Family:
    """An original and some of its augmented copies."""

    label: str
    id: str
    original: Picture
    copies: tuple[Picture, ...]


def bands(data: Dataset, *, per_class: int, seed: int) -> tuple[Band, ...]:
    """Up to ``per_class`` images of each class (of the first 30), chosen by ``seed``."""
    return tuple(
        Band(
            label=label,
            count=int((data.labels == label).sum()),
            share=float((data.labels == label).mean()),
            pictures=tuple(
                picture_of(data, row)
                for row in _some(np.flatnonzero(data.labels == label), per_class, seed, label)
            ),
        )
        for label in data.classes[:_MOST_CLASSES]
    )


def families(originals: Dataset, copies: Dataset, *, seed: int) -> tuple[Family, ...]:
    """A few originals of every class that was enlarged, each beside up to 7 of its copies."""
    return tuple(_families(originals, copies, seed))


def _families(originals: Dataset, copies: Dataset, seed: int) -> Iterator[Family]:
    row_of = {id: row for row, id in enumerate(originals.ids.tolist())}
    enlarged = np.unique(copies.labels)[:_MOST_CLASSES]
    each = max(1, _SOURCES // max(1, len(enlarged)))
    for label in enlarged.tolist():
        sources = np.unique(copies.source_ids[copies.labels == label])
        for source in _some(sources, each, seed, f"copies {label}"):
            rows = np.flatnonzero(copies.source_ids == source)[:_COPIES]
            yield Family(
                label=label,
                id=str(source),
                original=picture_of(originals, row_of[source]),
                copies=tuple(picture_of(copies, row) for row in rows),
            )


def picture_of(data: Dataset, row: int) -> Picture:
    """The image of a row, with the outline of its label where that is known."""
    mask = None if data.masks is None else data.masks[row]
    return picture(data.images[row], mask if mask is not None and mask.any() else None)


def _some(values: np.ndarray, number: int, seed: int, name: str) -> np.ndarray:
    """At most ``number`` of ``values``, in their order."""
    chosen = seeds.rng(seed, "report", name).permutation(len(values))[:number]
    return values[np.sort(chosen)]
