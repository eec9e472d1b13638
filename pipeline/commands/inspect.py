"""inspect: what is in a dataset folder."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.baselines.difficulty import Effect, effects, own_class_ranks
from raresight.pipeline.report.figures.contact_sheet import write_sheet

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
class NumericFactor:
    """A factor with numbers: its range and mean, and in how many rows it is known."""

    known: int
    low: float | None
    high: float | None
    mean: float | None


@dataclass(frozen=True, kw_only=True)
class TextFactor:
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
    factors: Mapping[str, NumericFactor | TextFactor]
    difficulty: tuple[Effect, ...] | None = None


def run(folder: Path, *, sheet: Path | None = None, difficulty: bool = False) -> Summary:
    """Summarise the dataset; ``sheet`` names the PNG to draw a contact sheet into.

    With ``difficulty`` the texture baseline is fitted, to tell which factors make images hard to
    recognize: among originals of the positive class, or of every class where there is none.

    Raises InputMissing when the folder holds no dataset, DataError when it is damaged.
    """
    dataset = Dataset(folder)
    if sheet is not None:
        write_sheet(dataset, sheet)
    summary = summarize_dataset(dataset)
    return replace(summary, difficulty=_difficulty(dataset)) if difficulty else summary


def _difficulty(data: Dataset) -> tuple[Effect, ...]:
    rows = np.flatnonzero(data.variants == 0)
    targets = data.targets[rows]
    ranks = own_class_ranks(data.images, rows, targets, num_classes=len(data.classes), seed=0)
    asked = np.ones(len(rows), bool)
    if data.positive is not None:
        asked = targets == data.classes.index(data.positive)
    frame = data.factors.iloc[rows[asked]]
    factors = {
        name: frame[name].to_numpy(float)
        if kind == "float"
        else np.array([value if isinstance(value, str) else None for value in frame[name]], object)
        for name, kind in data.description.factors.items()
    }
    return effects(ranks[asked], factors)


def summarize_dataset(data: Dataset) -> Summary:
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
        parts=_count_parts(data),
        factors=_factors(data) if len(data) else {},
    )


def _count_parts(data: Dataset) -> tuple[Part, ...]:
    rows = zip(data.labels.tolist(), data.origins.tolist(), data.variants.tolist(), strict=True)
    return tuple(
        Part(label=label, origin=origin, variant=variant, rows=count)
        for (label, origin, variant), count in sorted(Counter(rows).items())
    )


def _factors(data: Dataset) -> dict[str, NumericFactor | TextFactor]:
    frame = data.factors
    return {
        name: _numeric_factor(frame[name]) if kind == "float" else _text_factor(frame[name])
        for name, kind in data.description.factors.items()
    }


def _numeric_factor(column: "pandas.Series") -> NumericFactor:
    known = column.dropna().astype(float)
    if not len(known):
        return NumericFactor(known=0, low=None, high=None, mean=None)
    low, high, mean = float(known.min()), float(known.max()), float(known.mean())
    return NumericFactor(known=len(known), low=low, high=high, mean=mean)


def _text_factor(column: "pandas.Series") -> TextFactor:
    counts = Counter(column.dropna())
    often = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_VALUES]
    return TextFactor(known=counts.total(), different=len(counts), counts=dict(often))
