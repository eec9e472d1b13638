"""Pictures of a judgement: confusion, precision against recall, calibration, worst slices."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.evaluate import EvaluationResult
from raresight.pipeline.evaluation.metrics.ranking import curve, precision_at
from raresight.pipeline.evaluation.prevalence import at_prevalence
from raresight.pipeline.evaluation.uncertainty.resampling import BAND, false_positive_band

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY, BLUE, ORANGE = "#22272e", "#8b949e", "#1f6feb", "#d1742f"
_LINES = {
    "shortcut_baseline": ("shortcut baseline", GREY),
    "perturbed": ("model, perturbed images", ORANGE),
    "test": ("model", BLUE),
}
_CALIBRATIONS = {"raw": ("as the model gave them", GREY), "calibrated": ("calibrated", BLUE)}
_RARE = 0.05  # share of the positive class below which calibration is drawn on log axes
_WORST = 14  # slices in the picture
_BAND_RESAMPLES = 500
_MOST_NUMBERS = 15  # classes beyond which the cells of a matrix are too small for numbers


def draw_confusion(result: EvaluationResult, path: Path) -> None:
    """Write the test set's confusion matrix as a PNG: counts, coloured by share of the row."""
    counts = result.outcomes["test"].confusion
    size = len(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 3.2 + 0.45 * min(size, 30)
    figure = _figure(side + 0.4, side)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if size > 4 else {}
    axes.set_xticks(range(size), result.task.classes, **slanted)
    axes.set_yticks(range(size), result.task.classes)
    axes.set(xlabel="predicted", ylabel="actual")
    axes.set_title("Confusion on the test images", size=10, loc="left")
    axes.tick_params(length=0)
    axes.spines[:].set_color(GREY)
    if size <= _MOST_NUMBERS:
        _write_cells(axes, counts, shares)
    _save(figure, path)


def _write_cells(axes: "Axes", counts: np.ndarray, shares: np.ndarray) -> None:
    few = len(counts) <= 4
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        text = f"{count:,}\n{100 * share:.1f} %" if few else (f"{count:,}" if count else "")
        colour = "white" if share > 0.55 else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, size=11 if few else 8)


def draw_precision_recall(result: EvaluationResult, path: Path) -> None:
    """Write precision against recall as a PNG.

    With a positive class there are two panels, at the test set's prevalence and at that of the
    deployment, each with a pointwise bootstrap band and the chosen operating point. Without one,
    the curves of all classes pooled.
    """
    test = result.outcomes["test"]
    own = float(test.main_ranking.positive.mean())
    if result.task.positive is None:
        figure = _figure(5.6, 4.6)
        _panel(figure.add_subplot(), result, own, "Precision and recall, all classes pooled")
    else:
        figure = _figure(9.6, 4.6)
        left, right = figure.subplots(1, 2, sharey=True)
        there = result.params.prevalences[0]
        band = _band(result)
        _panel(left, result, own, f"In the test set: {_share(own)} '{result.task.positive}'", band)
        _panel(right, result, there, f"Where it will be used: {_share(there)}", band)
        right.set_ylabel("")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    _save(figure, path)


def _panel(
    axes: "Axes",
    result: EvaluationResult,
    prevalence: float,
    title: str,
    band: np.ndarray | None = None,
) -> None:
    for name, (label, colour) in _LINES.items():
        points = curve(result.outcomes[name].main_ranking)
        precision = precision_at(points.recall, points.false_positive_rate, prevalence)
        axes.plot(points.recall, precision, color=colour, label=label, lw=1.6)
    if band is not None:
        high, low = (precision_at(BAND, rate, prevalence) for rate in band)
        label = f"{100 * result.params.confidence_level:g} % of resamples"
        axes.fill_between(BAND, low, high, color=BLUE, alpha=0.15, lw=0, label=label)
        _mark_operating_point(axes, result.outcomes["test"], prevalence)
    axes.axhline(prevalence, color=INK, ls=":", lw=1, label="no skill")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.03))
    axes.set_title(title, size=10, loc="left")
    _clean(axes)


def _mark_operating_point(axes: "Axes", outcome: Predictions, prevalence: float) -> None:
    (right, alarms), (missed, hit) = outcome.task.focus(outcome.confusion).tolist()
    point = at_prevalence(
        sensitivity=hit / (hit + missed),
        specificity=right / (right + alarms),
        prevalence=prevalence,
    )
    if point["precision"] is not None:
        axes.plot(
            point["recall"],
            point["precision"],
            "o",
            color="white",
            markeredgecolor=INK,
            markersize=7,
            label="chosen threshold",
            zorder=3,
        )


def draw_calibration(result: EvaluationResult, path: Path) -> None:
    """Write the reliability diagram as a PNG, on log axes where the positive class is rare.

    The scores as the model gave them, and calibrated; a point a bin of equally many images.
    """
    figure = _figure(5.6, 4.8)
    axes = figure.add_subplot()
    for name, (label, colour) in _CALIBRATIONS.items():
        bins = result.reliability(name)
        ends = np.abs(np.stack([bins.low, bins.high]) - bins.observed)
        error = result.calibration[name]["ece"].value
        axes.errorbar(
            *(bins.score, bins.observed, ends),
            fmt="o-",
            color=colour,
            label=f"{label} (ECE {error:.2g})",
            **{"lw": 1.4, "ms": 4, "elinewidth": 0.8},
        )
    axes.plot([0, 1], [0, 1], color=INK, ls=":", lw=1, label="right on average")
    ticks = [0, 0.001, 0.01, 0.1, 0.3, 1]
    rare = result.task.positive is not None and result.calibrator.prior.min() < _RARE
    if rare:  # all of the calibrated scores would sit in a corner
        for scale in (axes.set_xscale, axes.set_yscale):
            scale("symlog", linthresh=1e-3, linscale=0.5)
        for place in (axes.set_xticks, axes.set_yticks):
            place(ticks, [f"{tick:g}" for tick in ticks], fontsize=8)
    what = f"is '{result.task.positive}'" if result.task.positive else "is called rightly"
    axes.set(xlabel="score", ylabel=f"share that {what}", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.set_title("Can the scores be believed? Test images", size=10, loc="left")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    _clean(axes)
    _save(figure, path)


def draw_slices(result: EvaluationResult, path: Path) -> None:
    """Write the worst slices as a PNG, a dot with its interval each, beside the whole test set."""
    metrics = list(dict.fromkeys(one.metric for one in result.slices))
    if not metrics:
        metrics = ["accuracy" if result.task.positive is None else "recall"]
    figure = _figure(1.2 + 4.4 * len(metrics), 4.6)
    panels = figure.subplots(1, len(metrics), squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        _slice_panel(axes, result, metric)
    _save(figure, path)


def _slice_panel(axes: "Axes", result: EvaluationResult, metric: str) -> None:
    worst = [one for one in result.slices if one.metric == metric][:_WORST]
    overall = result.assessments["test"].overall[metric].value
    for place, one in enumerate(worst):
        significant = (
            one.p_adjusted is not None and one.p_adjusted < 1 - result.params.confidence_level
        )
        colour = ORANGE if significant else BLUE
        axes.plot([one.estimate.low, one.estimate.high], [place, place], color=colour, lw=1.4)
        axes.plot(one.estimate.value, place, "o", color=colour, ms=5)
    names = [f"{one.factor.replace('_', ' ')}  {one.part}  ({one.images:,})" for one in worst]
    axes.set_yticks(range(len(worst)), names, fontsize=8)
    if overall is not None:
        axes.axvline(overall, color=INK, ls=":", lw=1)
    axes.set(xlim=(-0.02, 1.02), ylim=(max(len(worst), 1) - 0.5, -0.5), xlabel=metric)
    axes.set_title(f"Worst {metric} (of images; orange: significantly worse)", size=10, loc="left")
    _clean(axes)


def _clean(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GREY, alpha=0.25, lw=0.6)


def _band(result: EvaluationResult) -> np.ndarray:
    test = result.outcomes["test"]
    return false_positive_band(
        test.main_ranking,
        test.targets,
        confidence=result.params.confidence_level,
        resamples=min(result.params.num_bootstrap, _BAND_RESAMPLES),
        rng=seeds.rng(result.params.seed, "evaluate", "band"),
    )


def _share(prevalence: float) -> str:
    return f"{100 * prevalence:.3g} %"


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def _save(figure: "Figure", path: Path) -> None:
    figure.savefig(path, metadata={"Software": None})
