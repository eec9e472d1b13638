"""inspect: what is in a dataset folder."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.report.contact_sheet import write_sheet

if TYPE_CHECKING:
    import pandas

MAX_VALUES = 8


@dataclass(frozen=True, kw_only=True)
class Part:
    """The rows that share a class, an origin and a variant (0 = originals, k = k-th copies)."""

    label: str
    origin: str
    variant: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A factor with numbers: its range and mean, and in how many rows it is known."""

    known: int
    low: float | None
    high: float | None
    mean: float | None


@dataclass(frozen=True, kw_only=True)
class Words:
    """A factor with words: how many different ones, and counts of the most frequent."""

    known: int
    different: int
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The facts about a dataset; ``dataclasses.asdict`` makes JSON of them.

    ``bytes`` are those of its shards on disk, ``masked`` counts the rows whose mask is known, and
    ``classes`` the rows of each class, those without any included.
    """

    folder: str
    rows: int
    image_shape: tuple[int, int, int]
    dtype: str
    bytes: int
    positive: str | None
    masked: int
    classes: Mapping[str, int]
    parts: tuple[Part, ...]
    factors: Mapping[str, Numbers | Words]


def run(folder: Path, *, sheet: Path | None = None) -> Summary:
    """Summarise the dataset; ``sheet`` names the PNG to draw a contact sheet into.

    Raises InputMissing when the folder holds no dataset, DataError when it is damaged.
    """
    dataset = Dataset(folder)
    if sheet is not None:
        write_sheet(dataset, sheet)
    return summarize(dataset)


def summarize(data: Dataset) -> Summary:
    """Count and measure every column but the pixels."""
    counted = Counter(data.labels.tolist())
    files = [data.folder / shard.file for shard in data.description.shards]
    return Summary(
        folder=str(data.folder),
        rows=len(data),
        image_shape=data.image_shape,
        dtype="uint8",
        bytes=sum(file.stat().st_size for file in files),
        positive=data.positive,
        masked=int(np.count_nonzero(data.has_mask)),
        classes={label: counted[label] for label in data.classes},
        parts=_parts(data),
        factors=_factors(data) if len(data) else {},
    )


def _parts(data: Dataset) -> tuple[Part, ...]:
    rows = zip(data.labels.tolist(), data.origins.tolist(), data.variants.tolist(), strict=True)
    return tuple(
        Part(label=label, origin=origin, variant=variant, rows=count)
        for (label, origin, variant), count in sorted(Counter(rows).items())
    )


def _factors(data: Dataset) -> dict[str, Numbers | Words]:
    frame = data.factors
    return {
        name: _numbers(frame[name]) if kind == "float" else _words(frame[name])
        for name, kind in data.description.factors.items()
    }


def _numbers(column: "pandas.Series") -> Numbers:
    known = column.dropna().astype(float)
    if not len(known):
        return Numbers(known=0, low=None, high=None, mean=None)
    low, high, mean = float(known.min()), float(known.max()), float(known.mean())
    return Numbers(known=len(known), low=low, high=high, mean=mean)


def _words(column: "pandas.Series") -> Words:
    counts = Counter(column.dropna())
    often = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_VALUES]
    return Words(known=counts.total(), different=len(counts), counts=dict(often))
