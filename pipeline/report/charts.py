"""The charts of the page. Each returns an SVG element as text."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from raresight.pipeline.report.svg import (
    BALANCE,
    GROUND,
    INK,
    MODEL,
    MUTED,
    OTHER,
    RARE,
    inline,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 360  # of a chart, in pixels: a phone shows it at 0.8, a desk at 0.9 to 1.3 of its size
PREVALENCES = (1e-6, 0.5)
# How each metric looks wherever it is drawn: colour and dash, for eyes that tell no colours apart.
LIVE = {
    "accuracy": (MUTED, "-"),
    "recall": (MODEL, (0, (7, 2))),
    "precision": (RARE, "-"),
    "f1": (BALANCE, (0, (2, 1.5))),
}


@dataclass(frozen=True)
class Line:
    """A curve through ``x`` and ``y``, float (points,) each, of one of the kinds below."""

    name: str
    kind: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Band:
    """What lies between ``low`` and ``high`` over ``x``, float (points,) each; if ``across``,
    between two x over one y."""

    name: str
    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    across: bool = False


@dataclass(frozen=True)
class Plane:
    """The axes of a chart of shares: a unit square, ``level`` or ``diagonal`` for no skill."""

    x: str
    y: str
    level: float | None = None
    diagonal: str | None = None


_KINDS = {
    "model": {"color": MODEL, "lw": 2.2, "zorder": 3},
    "perturbed": {"color": RARE, "lw": 1.6, "ls": (0, (5, 1.5))},
    "shortcut_baseline": {"color": OTHER, "lw": 1.6, "ls": (0, (1.5, 1.2))},
}


@contextmanager
def _figure(height: float, width: float = WIDTH) -> Iterator["Figure"]:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06)
        yield figure


def draw_plane(
    plane: Plane,
    lines: Sequence[Line],
    *,
    name: str,
    title: str,
    band: Band | None = None,
    point: tuple[float, float] | None = None,
) -> str:
    """Curves in the unit square, with a ``band`` around the first and the chosen ``point``."""
    with _figure(330) as figure:
        axes = figure.add_subplot()
        if band is not None:
            _fill(axes, band)
        for line in lines:
            axes.plot(line.x, line.y, label=line.name, **_KINDS[line.kind])
        if plane.level is not None:
            axes.axhline(plane.level, color=MUTED, lw=1.4, ls=":", label="no skill")
        if plane.diagonal is not None:
            axes.plot([0, 1], [0, 1], color=MUTED, lw=1.4, ls=":", label=plane.diagonal)
        if point is not None:
            axes.plot(
                *point, "o", ms=8, mfc=GROUND, mec=INK, mew=1.6, zorder=5, clip_on=False,
                label="chosen threshold", ls="",
            )  # fmt: skip
        axes.set(xlabel=plane.x, ylabel=plane.y, xlim=(0, 1), ylim=(0, 1.005))
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        figure.legend(
            loc="outside lower left", ncols=2, frameon=False, fontsize=12, columnspacing=1.2,
            handlelength=2.2,
        )  # fmt: skip
        return inline(figure, name=name, title=title)


def _fill(axes: "Axes", band: Band) -> None:
    fill = axes.fill_betweenx if band.across else axes.fill_between
    fill(band.x, band.low, band.high, color=MODEL, alpha=0.18, lw=0, label=band.name)


def draw_reliability(
    bins: Mapping[str, Mapping[str, Sequence[float]]], *, rare: bool, happens: str
) -> str:
    """Observed shares over scores: ``raw`` and ``calibrated`` bins, columns of calibration.tsv.

    With ``rare`` the axes are stretched near 0, where all scores of a rare class are.
    ``happens`` says what the share is of.
    """
    looks = {
        "raw": ("as the model gave them", {"color": OTHER, "ls": (0, (4, 1.5)), "marker": "s"}),
        "calibrated": ("calibrated", {"color": MODEL, "marker": "o"}),
    }
    with _figure(330) as figure:
        axes = figure.add_subplot()
        for name, (label, look) in looks.items():
            table = {column: np.asarray(values) for column, values in bins[name].items()}
            error = np.abs(np.stack([table["low"], table["high"]]) - table["observed"])
            axes.errorbar(
                table["score"], table["observed"], error,
                label=label, ms=4, lw=1.6, elinewidth=0.9, **look,
            )  # fmt: skip
        axes.plot([0, 1], [0, 1], color=MUTED, ls=":", lw=1.4, label="right on average")
        ticks = [0, 0.25, 0.5, 0.75, 1]
        if rare:
            ticks = [0, 0.001, 0.01, 0.1, 1]
            axes.set_xscale("symlog", linthresh=1e-3, linscale=0.5)
            axes.set_yscale("symlog", linthresh=1e-3, linscale=0.5)
        labels = [f"{tick:g}" for tick in ticks]
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.minorticks_off()
        axes.set(xlabel="score", ylabel=f"share that {happens}", xlim=(0, 1.02), ylim=(0, 1.02))
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=12)
        title = "Reliability: the observed share over the score, raw and calibrated"
        return inline(figure, name="reliability", title=title)


def draw_learning(curves: Mapping[str, Sequence[float]], *, best: int) -> dict[str, str]:
    """The learning curves over epochs, each with the learning rate beneath.

    ``curves`` are the columns of curves.tsv, ``best`` is the epoch that was kept.
    """
    loss = {"train_loss": "training", "val_loss": "validation"}
    quality = {"val_f1": "F1 at its best threshold", "val_average_precision": "average precision"}
    return {
        "loss": _draw_epochs(curves, loss, best, "loss per image", "loss"),
        "quality": _draw_epochs(curves, quality, best, "on validation", "quality"),
    }


def _draw_epochs(
    curves: Mapping[str, Sequence[float]],
    lines: Mapping[str, str],
    best: int,
    label: str,
    name: str,
) -> str:
    epochs = curves["epoch"]
    looks = ({"color": OTHER, "ls": (0, (4, 1.5))}, {"color": MODEL})
    with _figure(360) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.8, 1])
        for (column, called), look in zip(lines.items(), looks, strict=True):
            upper.plot(epochs, curves[column], label=called, marker="o", ms=3, **look)
        lower.plot(epochs, curves["learning_rate"], color=INK, lw=1.4)
        for axes in (upper, lower):
            axes.axvline(best, color=RARE, lw=1.2, ls=":")
            axes.set_ylim(bottom=0)
        if name == "quality":
            upper.set_ylim(0, 1.005)
        upper.set_ylabel(label)
        lower.set(xlabel="epoch", ylabel="learning\nrate")
        lower.xaxis.get_major_locator().set_params(integer=True)
        lower.ticklabel_format(axis="y", style="plain", useOffset=False)
        lower.yaxis.get_major_locator().set_params(nbins=2)
        upper.plot([], [], color=RARE, lw=1.2, ls=":", label=f"kept: epoch {best}")
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=12)
        figure.align_ylabels()
        called = " and ".join(lines.values())
        title = f"Learning curves: {called} over the epochs, with the learning rate beneath"
        return inline(figure, name=name, title=title)


def draw_prevalences(*, title: str) -> tuple[str, dict[str, float]]:
    """The frame in which the page itself draws the metrics over the prevalence.

    Returns the element, with an empty line of id ``live-NAME`` for each metric, and the place of
    its axes: ``left``, ``right``, ``top`` and ``bottom`` in the element's own units.
    """
    with _figure(290, 430) as figure:
        axes = figure.add_subplot()
        axes.set(xscale="log", xlim=PREVALENCES, ylim=(0, 1.02), xlabel="share of positive images")
        axes.set_xticks(
            [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 0.5],
            ["1 in\n1,000,000", "", "1 in\n10,000", "", "1 in\n100", "", "1 in 2"],
        )
        axes.minorticks_off()
        axes.tick_params(axis="x", pad=7)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        for metric, (colour, dash) in LIVE.items():
            axes.plot([1e-6, 0.5], [0, 0], color=colour, ls=dash, lw=2.2, gid=f"live-{metric}")
        axes.plot([0.01, 0.01], [0, 1.02], color=INK, lw=1, gid="live-cursor")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # from here on the axes stay where they are
        box, height = axes.get_window_extent(), figure.bbox.height
        place = {"left": box.x0, "right": box.x1, "top": height - box.y1, "bottom": height - box.y0}
        scale = {key: round(float(value), 2) for key, value in place.items()}
        return inline(figure, name="live", title=title), scale
