"""The charts of the page. Each returns an SVG element as text."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from raresight.pipeline.report.charts.hover import Points, hover_data
from raresight.pipeline.report.charts.look import new_figure
from raresight.pipeline.report.charts.painters import (
    BIN_NAMES,
    Line,
    Plane,
    add_legend,
    paint_plane,
    paint_reliability,
)
from raresight.pipeline.report.charts.svg import PAGE, inline
from raresight.pipeline.wording.numbers import count

PREVALENCES = (1e-6, 0.5)
# How the metrics of the sliders look, in turn: color and dash, for eyes that tell no colors apart.
# page.css has the same as .look-0 and so on.
LOOKS: tuple[tuple[str, Any], ...] = (
    (PAGE.model, (0, (7, 2))),
    (PAGE.accent, "-"),
    (PAGE.ink, (0, (2, 1.5))),
    (PAGE.muted, "-"),
    (PAGE.other, (0, (1, 1.5))),
    (PAGE.other, (0, (5, 1, 1, 1))),
)


def draw_plane(plane: Plane, *, name: str) -> str:
    """Curves in the unit square."""
    with new_figure(PAGE, 330) as figure:
        axes = figure.add_subplot()
        paint_plane(axes, plane, PAGE)
        add_legend(figure)
        points = [_of_line(axes, plane, line) for line in plane.lines]
        hover = hover_data(figure, points)
        return inline(figure, name=name, title=plane.title, hover=hover)


def _of_line(axes: Any, plane: Plane, line: Line) -> Points:
    said: dict[str, Any] = {plane.x: line.x, plane.y: line.y}
    if line.thresholds is not None:
        said["threshold"] = line.thresholds
    return Points(axes=axes, name=line.name, x=line.x, y=line.y, said=said)


def draw_reliability(
    bins: Mapping[str, Mapping[str, Sequence[float]]], *, rare: bool, event: str
) -> str:
    """Observed shares over scores; ``event`` says of what."""
    with new_figure(PAGE, 330) as figure:
        axes = figure.add_subplot()
        paint_reliability(axes, bins, PAGE, rare=rare, event=event)
        add_legend(figure)
        title = "Reliability: the observed share over the score, raw and calibrated"
        points = [_of_bins(axes, name, table) for name, table in bins.items()]
        hover = hover_data(figure, points)
        return inline(figure, name="reliability", title=title, hover=hover)


def _of_bins(axes: Any, name: str, table: Mapping[str, Sequence[float]]) -> Points:
    said = {"mean score": table["score"], "observed share": table["observed"]}
    images = [count(value) for value in table["images"]]
    return Points(
        axes=axes,
        name=BIN_NAMES[name],
        x=table["score"],
        y=table["observed"],
        said=said | {"images": images},
    )


def draw_learning(
    curves: Mapping[str, Sequence[float]], *, best: int, pretrained: int = 0
) -> dict[str, str]:
    """The learning curves over epochs, each with the learning rate beneath.

    ``curves`` are the columns of curves.tsv, ``best`` is the epoch that was kept, ``pretrained``
    how many epochs a first phase had.
    """
    loss = {"train_loss": "training", "val_loss": "validation"}
    quality = {"val_f1": "F1 at its best threshold", "val_average_precision": "average precision"}
    return {
        "loss": _draw_epochs(curves, loss, (best, pretrained), "loss per image", "loss"),
        "quality": _draw_epochs(curves, quality, (best, pretrained), "on validation", "quality"),
    }


def _draw_epochs(
    curves: Mapping[str, Sequence[float]],
    lines: Mapping[str, str],
    marks: tuple[int, int],
    label: str,
    name: str,
) -> str:
    epochs, (best, pretrained) = curves["epoch"], marks
    looks: tuple[dict[str, Any], ...] = (
        {"color": PAGE.other, "ls": (0, (4, 1.5))},
        {"color": PAGE.model},
    )
    with new_figure(PAGE, 360) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.8, 1])
        for (column, title), look in zip(lines.items(), looks, strict=True):
            upper.plot(epochs, curves[column], label=title, marker="o", ms=3, **look)
        lower.plot(epochs, curves["learning_rate"], color=PAGE.ink, lw=1.4)
        for axes in (upper, lower):
            axes.axvline(best, color=PAGE.ink, lw=1.2, ls=":")
            if pretrained:
                axes.axvspan(min(epochs), pretrained + 0.5, color=PAGE.ink, alpha=0.07, lw=0)
            axes.set_ylim(bottom=0)
        if name == "quality":
            upper.set_ylim(0, 1.005)
        upper.set_ylabel(label)
        lower.set(xlabel="epoch", ylabel="learning\nrate")
        lower.xaxis.get_major_locator().set_params(integer=True)
        lower.ticklabel_format(axis="y", style="plain", useOffset=False)
        lower.yaxis.get_major_locator().set_params(nbins=2)
        upper.plot([], [], color=PAGE.ink, lw=1.2, ls=":", label=f"kept: epoch {best}")
        if pretrained:
            upper.fill_between([], [], color=PAGE.ink, alpha=0.07, label="pretraining")
        add_legend(figure)
        figure.align_ylabels()
        both = " and ".join(lines.values())
        title = f"Learning curves: {both} over the epochs, with the learning rate beneath"
        shown = [(upper, curves[column], told) for column, told in lines.items()]
        shown.append((lower, curves["learning_rate"], "learning rate"))
        said = {"epoch": [count(epoch) for epoch in epochs]}
        points = [
            Points(axes=axes, name=told, x=epochs, y=values, said=said | {told: values})
            for axes, values, told in shown
        ]
        hover = hover_data(figure, points)
        return inline(figure, name=name, title=title, hover=hover)


def draw_prevalences(
    *,
    title: str,
    over: np.ndarray,
    lines: Mapping[str, np.ndarray],
    at: float,
    name: str = "",
) -> tuple[str, dict[str, float]]:
    """The metrics over the prevalence; the page's script draws on in the same frame.

    ``lines`` are values (points,) by metric at the prevalences ``over`` (points,); a line stands
    ``at`` one of them. Returns the element, with the id ``NAMElive-METRIC`` for each line, and the
    place of its axes: ``left``, ``right``, ``top`` and ``bottom`` in the element's own units.
    """
    with new_figure(PAGE, 290, 430) as figure:
        axes = figure.add_subplot()
        axes.set(xscale="log", xlim=PREVALENCES, ylim=(0, 1.02), xlabel="share of positive images")
        axes.set_xticks(
            [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 0.5],
            ["1 in\n1,000,000", "", "1 in\n10,000", "", "1 in\n100", "", "1 in 2"],
        )
        axes.minorticks_off()
        axes.tick_params(axis="x", pad=7)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        for (metric, values), (color, dash) in zip(lines.items(), cycle(LOOKS)):
            drawn = values if np.isfinite(values).any() else np.zeros_like(values)
            axes.plot(over, drawn, color=color, ls=dash, lw=2.2, gid=f"{name}live-{metric}")
        axes.plot([at, at], [0, 1.02], color=PAGE.ink, lw=1, gid=f"{name}live-cursor")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # from here on the axes stay where they are
        box, height = axes.get_window_extent(), figure.bbox.height
        place = {"left": box.x0, "right": box.x1, "top": height - box.y1, "bottom": height - box.y0}
        scale = {key: round(float(value), 2) for key, value in place.items()}
        return inline(figure, name=f"{name}live", title=title), scale
