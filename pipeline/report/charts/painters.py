"""Curves and reliability diagrams, painted into axes: on the page and in pictures alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from raresight.pipeline.report.charts.look import Palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TICKS = (0, 0.25, 0.5, 0.75, 1)
# The reliability tables, and what their points are called.
BIN_NAMES = {"raw": "as the model gave them", "calibrated": "calibrated"}


@dataclass(frozen=True)
class Line:
    """A curve through ``x`` and ``y``, float (points,) each, of one of the entries of results.

    ``thresholds`` (points,) are those of its points, where they are known.
    """

    name: str
    kind: str
    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray | None = None


@dataclass(frozen=True)
class Band:
    """What lies between ``low`` and ``high`` over ``x``, float (points,) each; if ``across``,
    between two x over one y."""

    name: str
    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    across: bool = False


@dataclass(frozen=True, kw_only=True)
class Plane:
    """A chart of shares: the unit square, with curves, a band around the first, and a point.

    No skill is a ``level`` or a ``diagonal``; ``point`` is where the chosen threshold lies.
    """

    x: str
    y: str
    lines: tuple[Line, ...]
    title: str
    band: Band | None = None
    point: tuple[float, float] | None = None
    level: float | None = None
    diagonal: str | None = None


def paint_plane(axes: "Axes", plane: Plane, palette: Palette) -> None:
    """Everything but the legend."""
    if plane.band is not None:
        _fill(axes, plane.band, palette)
    kinds: dict[str, dict[str, Any]] = {
        "model": {"color": palette.model, "lw": 2.2, "zorder": 3},
        "perturbed": {"color": palette.accent, "lw": 1.6, "ls": (0, (5, 1.5))},
        "before": {"color": palette.other, "lw": 2.2, "ls": (0, (4, 1.5))},
        "shortcut_baseline": {"color": palette.other, "lw": 1.6, "ls": (0, (1.5, 1.2))},
        "texture_baseline": {"color": palette.other, "lw": 1.6, "ls": (0, (5, 1.2, 1.2, 1.2))},
    }
    for line in plane.lines:
        axes.plot(line.x, line.y, label=line.name, **kinds[line.kind])
    dotted: dict[str, Any] = {"color": palette.muted, "lw": 1.4, "ls": ":"}
    if plane.level is not None:
        axes.axhline(plane.level, label="no skill", **dotted)
    if plane.diagonal is not None:
        axes.plot([0, 1], [0, 1], label=plane.diagonal, **dotted)
    if plane.point is not None:
        mark: dict[str, Any] = {"ms": 8, "mew": 1.6, "mfc": palette.ground, "mec": palette.ink}
        mark |= {"zorder": 5, "clip_on": False, "ls": "", "label": "chosen threshold"}
        axes.plot(*plane.point, "o", **mark)
    axes.set(xlabel=plane.x, ylabel=plane.y, xlim=(0, 1), ylim=(0, 1.005))
    labels = [f"{tick:g}" for tick in _TICKS]
    axes.set_xticks(_TICKS, labels)
    axes.set_yticks(_TICKS, labels)


def _fill(axes: "Axes", band: Band, palette: Palette) -> None:
    fill = axes.fill_betweenx if band.across else axes.fill_between
    fill(band.x, band.low, band.high, color=palette.model, alpha=0.18, lw=0, label=band.name)


def paint_reliability(
    axes: "Axes",
    bins: Mapping[str, Mapping[str, Sequence[float]]],
    palette: Palette,
    *,
    rare: bool,
    event: str,
) -> None:
    """Observed shares over scores: ``raw`` and ``calibrated`` bins, columns of calibration.tsv.

    With ``rare`` the axes are stretched near 0, where all scores of a rare class are. ``event``
    says what the share is of.
    """
    looks: dict[str, dict[str, Any]] = {
        "raw": {"color": palette.other, "ls": "", "marker": "s"},
        "calibrated": {"color": palette.model, "marker": "o"},
    }
    for name, look in looks.items():
        table = {column: np.asarray(values) for column, values in bins[name].items()}
        error = np.abs(np.stack([table["low"], table["high"]]) - table["observed"])
        look |= {"ms": 4, "lw": 1.6, "elinewidth": 0.9}
        axes.errorbar(table["score"], table["observed"], error, label=BIN_NAMES[name], **look)
    axes.plot([0, 1], [0, 1], color=palette.muted, ls=":", lw=1.4, label="right on average")
    ticks: Sequence[float] = _TICKS
    if rare:
        ticks = (0, 0.001, 0.01, 0.1, 1)
        axes.set_xscale("symlog", linthresh=1e-3, linscale=0.5)
        axes.set_yscale("symlog", linthresh=1e-3, linscale=0.5)
    labels = [f"{tick:g}" for tick in ticks]
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)
    axes.minorticks_off()
    axes.set(xlabel="score", ylabel=f"share that {event}", xlim=(0, 1.02), ylim=(0, 1.02))


def add_legend(figure: "Figure", columns: int = 2) -> None:
    """Below the axes, each entry once."""
    found: dict[str, Any] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    figure.legend(
        list(found.values()),
        list(found),
        loc="outside lower left",
        ncols=columns,
        frameon=False,
        fontsize=12,
        columnspacing=1.2,
        handlelength=2.2,
    )
