"""What is in a dataset, as numbers and as a table."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.dataset.reader import Dataset

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Counts of rows, the images' shape, and what each factor ranges over.

    ``classes``, ``origins`` and ``variants`` count rows. A number's factor has low, mean and high; a
    word's factor counts each value. ``masked`` rows have a mask.
    """

    rows: int
    image_shape: tuple[int, int, int]
    positive: str | None
    masked: int
    pixel_bytes: int
    classes: Mapping[str, int]
    origins: Mapping[str, int]
    variants: Mapping[int, int]
    factors: Mapping[str, Mapping[str, float | int]]


def summarize(data: Dataset) -> Summary:
    """Count and measure everything but the pixels."""
    counted = Counter(data.labels.tolist())
    return Summary(
        rows=len(data),
        image_shape=data.image_shape,
        positive=data.positive,
        masked=int(data.has_mask.sum()),
        pixel_bytes=len(data) * int(np.prod(data.image_shape)),
        classes={label: counted[label] for label in data.classes},
        origins=dict(sorted(Counter(data.origins.tolist()).items())),
        variants=dict(sorted(Counter(data.variants.tolist()).items())),
        factors=_factors(data) if len(data) else {},
    )


def _factors(data: Dataset) -> dict[str, dict[str, float | int]]:
    frame, found = data.factors, {}
    for name, kind in data.description.factors.items():
        known = frame[name].dropna()
        if kind == "string":
            found[name] = {str(value): int(n) for value, n in known.value_counts().head(12).items()}
        elif len(known):
            found[name] = {"low": known.min(), "mean": known.mean(), "high": known.max()}
    return found


def render(summary: Summary) -> "Table":
    """The summary as a rich table."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    height, width, channels = summary.image_shape
    size = f"{summary.pixel_bytes / 2**20:,.1f} MB"
    table.add_row("images", f"{summary.rows:,} of {height} x {width} x {channels}, {size} of pixels")
    for label, count in summary.classes.items():
        share = count / summary.rows if summary.rows else 0.0
        mark = "  (positive)" if label == summary.positive else ""
        table.add_row(f"class {label}", f"{count:,}  {share:.2%}{mark}")
    table.add_row("origin", _counts(summary.origins))
    table.add_row("variant", _counts(summary.variants))
    table.add_row("with mask", f"{summary.masked:,}")
    for name, values in summary.factors.items():
        text = _counts(values)
        if "mean" in values:
            text = f"{values['low']:.3g} to {values['high']:.3g}, mean {values['mean']:.3g}"
        table.add_row(f"factor {name}", text)
    return table


def _counts(counts: Mapping) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items()) or "none"
