"""The charts of the page. Each returns an SVG element as text."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from raresight.pipeline.evaluation.metrics.registry import shown
from raresight.pipeline.report.charts.look import new_figure
from raresight.pipeline.report.charts.painters import (
    Plane,
    add_legend,
    paint_plane,
    paint_reliability,
)
from raresight.pipeline.report.charts.svg import PAGE, inline

PREVALENCES = (1e-6, 0.5)
# How the metrics of the sliders look, in turn: color and dash, for eyes that tell no colors apart.
# page.css has the same as .look-0 and so on.
LOOKS: tuple[tuple[str, Any], ...] = (
    (PAGE.model, (0, (7, 2))),
    (PAGE.rare, "-"),
    (PAGE.balance, (0, (2, 1.5))),
    (PAGE.muted, "-"),
    (PAGE.ink, (0, (1, 1.5))),
    (PAGE.other, (0, (5, 1, 1, 1))),
)


def draw_plane(plane: Plane, *, name: str) -> str:
    """Curves in the unit square."""
    with new_figure(PAGE, 330) as figure:
        paint_plane(figure.add_subplot(), plane, PAGE)
        add_legend(figure)
        return inline(figure, name=name, title=plane.title)


def draw_reliability(
    bins: Mapping[str, Mapping[str, Sequence[float]]], *, rare: bool, event: str
) -> str:
    """Observed shares over scores; ``event`` says of what."""
    with new_figure(PAGE, 330) as figure:
        paint_reliability(figure.add_subplot(), bins, PAGE, rare=rare, event=event)
        add_legend(figure)
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
            axes.axvline(best, color=PAGE.rare, lw=1.2, ls=":")
            axes.set_ylim(bottom=0)
        if name == "quality":
            upper.set_ylim(0, 1.005)
        upper.set_ylabel(label)
        lower.set(xlabel="epoch", ylabel="learning\nrate")
        lower.xaxis.get_major_locator().set_params(integer=True)
        lower.ticklabel_format(axis="y", style="plain", useOffset=False)
        lower.yaxis.get_major_locator().set_params(nbins=2)
        upper.plot([], [], color=PAGE.rare, lw=1.2, ls=":", label=f"kept: epoch {best}")
        add_legend(figure)
        figure.align_ylabels()
        both = " and ".join(lines.values())
        title = f"Learning curves: {both} over the epochs, with the learning rate beneath"
        return inline(figure, name=name, title=title)


def draw_prevalences(*, title: str) -> tuple[str, dict[str, float]]:
    """The frame in which the page itself draws the metrics over the prevalence.

    Returns the element, with an empty line of id ``live-NAME`` for each metric, and the place of
    its axes: ``left``, ``right``, ``top`` and ``bottom`` in the element's own units.
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
        for metric, (colour, dash) in zip(shown("sliders", positive=True), cycle(LOOKS)):
            axes.plot([1e-6, 0.5], [0, 0], color=colour, ls=dash, lw=2.2, gid=f"live-{metric}")
        axes.plot([0.01, 0.01], [0, 1.02], color=PAGE.ink, lw=1, gid="live-cursor")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # from here on the axes stay where they are
        box, height = axes.get_window_extent(), figure.bbox.height
        place = {"left": box.x0, "right": box.x1, "top": height - box.y1, "bottom": height - box.y0}
        scale = {key: round(float(value), 2) for key, value in place.items()}
        return inline(figure, name="live", title=title), scale
