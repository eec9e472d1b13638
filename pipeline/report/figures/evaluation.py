"""Pictures of an evaluation: confusion, precision against recall, calibration, worst slices."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.report.charts.look import PICTURE, new_figure
from raresight.pipeline.report.charts.painters import (
    Plane,
    add_legend,
    paint_plane,
    paint_reliability,
)
from raresight.pipeline.report.judgement.slices import Slice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_NUMBERS = 15  # classes beyond which the cells of a matrix are too small for numbers
_PANEL = 430  # pixels at 72 to the inch


def draw_confusion(outcome: Predictions, path: Path) -> None:
    """Write a confusion matrix as a PNG: counts, colored by share of the row."""
    counts, classes = outcome.confusion, outcome.task.classes
    size = len(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 300 + 40 * min(size, 30)
    with new_figure(PICTURE, side, side + 40) as figure:
        axes = figure.add_subplot()
        axes.imshow(_right_and_wrong(shares))
        slanted: dict[str, Any] = {}
        if size > 4:
            slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(range(size), classes, **slanted)
        axes.set_yticks(range(size), classes)
        axes.set(xlabel="predicted", ylabel="actual")
        axes.set_title("Confusion on the test images", size=13, loc="left")
        axes.grid(visible=False)
        axes.spines[:].set_visible(True)
        if size <= _MOST_NUMBERS:
            _write_cells(axes, counts, shares)
        _save(figure, path)


def _right_and_wrong(shares: np.ndarray) -> np.ndarray:
    """Colors (K, K, 3) of a confusion matrix: as strong as the share of the row, right on the
    diagonal, wrong beside it."""
    from matplotlib.colors import to_rgb

    ground, right, wrong = (
        np.array(to_rgb(color)) for color in (PICTURE.ground, PICTURE.right, PICTURE.wrong)
    )
    full = np.where(np.eye(len(shares), dtype=bool)[..., None], right, wrong)
    return np.asarray(ground + shares[..., None] * (full - ground))


def _write_cells(axes: "Axes", counts: np.ndarray, shares: np.ndarray) -> None:
    few = len(counts) <= 4
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        text = f"{count:,}\n{100 * share:.1f} %" if few else (f"{count:,}" if count else "")
        color = PICTURE.ground if share > 0.55 else PICTURE.ink
        axes.text(column, row, text, ha="center", va="center", color=color, size=13 if few else 9)


def draw_planes(planes: Sequence[Plane], path: Path) -> None:
    """Write curves as a PNG, a panel each."""
    with new_figure(PICTURE, _PANEL, _PANEL * len(planes)) as figure:
        panels = figure.subplots(1, len(planes), squeeze=False)[0]
        for axes, plane in zip(panels, planes, strict=True):
            paint_plane(axes, plane, PICTURE)
            axes.set_title(plane.title.replace(" where ", "\nwhere "), size=12, loc="left")
        add_legend(figure, columns=2 * len(planes))
        _save(figure, path)


def draw_calibration(
    bins: Mapping[str, Mapping[str, Sequence[float]]], path: Path, *, rare: bool, event: str
) -> None:
    """Write the reliability diagram as a PNG, on log axes where the positive class is rare."""
    with new_figure(PICTURE, _PANEL, _PANEL) as figure:
        axes = figure.add_subplot()
        paint_reliability(axes, bins, PICTURE, rare=rare, event=event)
        axes.set_title("Calibration on the test images", size=12, loc="left")
        add_legend(figure)
        _save(figure, path)


def draw_slices(
    slices: Mapping[str, Sequence[Slice]], overall: Mapping[str, float | None], path: Path
) -> None:
    """Write the worst slices of each metric as a PNG, a dot with its interval each.

    ``overall`` are the metrics of the whole test set, which a dotted line marks.
    """
    with new_figure(PICTURE, _PANEL, 60 + _PANEL * max(len(slices), 1)) as figure:
        panels = figure.subplots(1, max(len(slices), 1), squeeze=False)[0]
        for axes, (metric, worst) in zip(panels, slices.items(), strict=False):
            _slice_panel(axes, worst, overall[metric], METRICS[metric].label)
        _save(figure, path)


def _slice_panel(axes: "Axes", worst: Sequence[Slice], overall: float | None, label: str) -> None:
    for place, one in enumerate(worst):
        color = PICTURE.wrong if one.significant else PICTURE.model
        if one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [place, place], color=color, lw=1.6)
        axes.plot(one.value, place, "o", color=color, ms=6)
    names = [f"{one.factor} = {one.part} (n = {one.images:,})" for one in worst]
    axes.set_yticks(range(len(worst)), names, fontsize=10)
    if overall is not None:
        axes.axvline(overall, color=PICTURE.ink, ls=":", lw=1)
    axes.set(xlim=(-0.02, 1.02), ylim=(max(len(worst), 1) - 0.5, -0.5), xlabel=label)
    axes.set_title(
        f"Slices by {label}, worst first\n(orange: significantly worse)", size=12, loc="left"
    )


def _save(figure: "Figure", path: Path) -> None:
    figure.savefig(path, dpi=120, metadata={"Software": None})
