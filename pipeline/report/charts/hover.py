"""What a chart says where the pointer is: its points in the drawing's units, with their values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from raresight.pipeline.wording.numbers import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 90  # points of a line: about one to every four pixels


@dataclass(frozen=True, kw_only=True)
class Points:
    """A line of ``axes`` through ``x`` and ``y`` (points,); ``said`` are texts or numbers by name,
    (points,) each, in the order in which they are read."""

    axes: "Axes"
    name: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    said: Mapping[str, Sequence[Any] | np.ndarray]


def hover_data(figure: "Figure", lines: Iterable[Points]) -> list[dict[str, Any]]:
    """What the page's script reads: a name, fields, and rows of x, y and the fields' texts.

    x and y are those of the SVG's view box. The layout is fixed from here on, so that the points
    stay where they are.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    height = figure.bbox.height
    return [_line(line, height) for line in lines]


def _line(line: Points, height: float) -> dict[str, Any]:
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(known):
        known = known[np.unique(np.linspace(0, len(known) - 1, _MOST).round().astype(int))]
    places = line.axes.transData.transform(np.stack([x[known], y[known]], axis=1))
    columns = [[_text(values[row]) for row in known.tolist()] for values in line.said.values()]
    rows = zip(places.tolist(), *columns, strict=True)
    return {
        "name": line.name,
        "fields": list(line.said),
        "at": [[round(px, 1), round(height - py, 1), *texts] for (px, py), *texts in rows],
    }


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return number(None if np.isnan(value) else float(value))
