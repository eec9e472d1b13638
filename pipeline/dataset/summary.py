"""What is in a dataset, in numbers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from pipeline.dataset.reader import Dataset

if TYPE_CHECKING:
    import pandas

_MAX_VALUES = 8


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
    measure = {"float": _numbers, "string": _words}
    frame = data.factors
    return {name: measure[kind](frame[name]) for name, kind in data.description.factors.items()}


def _numbers(column: "pandas.Series") -> Numbers:
    known = column.dropna().astype(float)
    if not len(known):
        return Numbers(known=0, low=None, high=None, mean=None)
    low, high, mean = float(known.min()), float(known.max()), float(known.mean())
    return Numbers(known=len(known), low=low, high=high, mean=mean)


def _words(column: "pandas.Series") -> Words:
    counts = Counter(column.dropna())
    often = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MAX_VALUES]
    return Words(known=counts.total(), different=len(counts), counts=dict(often))


def render(summary: Summary) -> RenderableType:
    """The summary as tables for a terminal."""
    tables = [_facts_table(summary), _parts_table(summary)]
    if summary.factors:
        tables.append(_factors_table(summary))
    return Group(*tables)


def _facts_table(summary: Summary) -> Table:
    height, width, channels = summary.image_shape
    share = f" ({summary.masked / summary.rows:.1%})" if summary.rows else ""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_row("dataset", escape(summary.folder))
    table.add_row("rows", f"{summary.rows:,}")
    table.add_row("images", f"{height} x {width} x {channels}, {summary.dtype}")
    table.add_row("with mask", f"{summary.masked:,}{share}")
    table.add_row("on disk", f"{summary.bytes / 1e6:,.1f} MB")
    return table


def _parts_table(summary: Summary) -> Table:
    table = Table("class", "origin", title="Rows", title_justify="left")
    for heading in ("originals", "copies", "share"):
        table.add_column(heading, justify="right")
    groups = dict.fromkeys((part.label, part.origin) for part in summary.parts)
    for label, origin in groups:
        here = [part for part in summary.parts if (part.label, part.origin) == (label, origin)]
        originals = sum(part.rows for part in here if part.variant == 0)
        copies = sum(part.rows for part in here if part.variant > 0)
        name = f"{escape(label)} (positive)" if label == summary.positive else escape(label)
        share = f"{(originals + copies) / summary.rows:.2%}"
        table.add_row(name, origin, f"{originals:,}", f"{copies:,}", share)
    return table


def _factors_table(summary: Summary) -> Table:
    table = Table("factor", title="Factors", title_justify="left")
    for heading in ("known", "low", "mean", "high"):
        table.add_column(heading, justify="right")
    table.add_column("values")
    for name, factor in summary.factors.items():
        known = f"{factor.known:,}"
        if isinstance(factor, Words):
            table.add_row(name, known, "", "", "", escape(_listed(factor)))
        elif factor.known:
            figures = (f"{value:.4g}" for value in (factor.low, factor.mean, factor.high))
            table.add_row(name, known, *figures, "")
        else:
            table.add_row(name, known, "", "", "", "")
    return table


def _listed(factor: Words) -> str:
    if factor.different > _MAX_VALUES:
        return f"{factor.different:,} different, such as {next(iter(factor.counts))}"
    return ", ".join(f"{value} {count:,}" for value, count in factor.counts.items())
