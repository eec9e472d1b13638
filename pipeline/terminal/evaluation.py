"""The results of an evaluation as a person reads them in a terminal."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.evaluation.uncertainty.intervals import trials_needed
from raresight.pipeline.terminal.tables import titled_table
from raresight.pipeline.wording.names import RANDOM, SHORTCUT, majority_name, row_names
from raresight.pipeline.wording.numbers import (
    DASH,
    Metrics,
    costs_told,
    count,
    interval,
    number,
    verdict,
    with_interval,
)
from raresight.pipeline.wording.trainings import Trainings, trainings

# What there is at a deployment prevalence besides metrics of METRICS.
_DEPLOYMENT_ROWS = {
    "accuracy": "accuracy",
    "precision": "precision",
    "negative pred. value": "npv",
    "recall": "recall",
    "F1": "f1",
    "average precision": "average_precision",
    "flagged per million": "predicted_positives_per_million",
    "misses per million": "misses_per_million",
}
_SEVERAL_COLUMNS = {
    "accuracy": "accuracy",
    "precision": "precision",
    "F1": "f1",
    "flagged per\nmillion images": "predicted_positives_per_million",
}
_WIDE_RECALL = 0.1


def render(metrics: Metrics, *, folder: Path | None = Path("data/evaluation")) -> RenderableType:
    """The verdict, the tables, and where to look, from the contents of results.json.

    Fits a terminal of 80 columns. ``folder`` is where the evaluation lies, None for one that is
    kept nowhere. Rows that a judgement of scores alone does not have are left out.
    """
    parts: list[RenderableType] = [Padding(Text.assemble(*verdict(metrics)), (1, 0))]
    parts.append(_comparison(metrics))
    if (several := trainings(metrics)) is not None:
        parts.append(Padding(_trainings(several), (1, 0, 0, 0)))
    if metrics["positive"] is not None:
        parts.append(Padding(_deployment(metrics), (1, 0, 0, 0)))
        if "deployment_at" in metrics:
            parts.append(Padding(_deployments(metrics["deployment_at"]), (1, 0, 0, 0)))
    parts += [Padding(Text(note), (1, 0, 0, 0)) for note in _notes(metrics)]
    parts.append(Padding(_where_to_look(folder), (1, 0)) if folder else Text())
    return Group(*parts)


def _comparison(metrics: Metrics) -> Table:
    columns = shown("table", positive=metrics["positive"] is not None)
    table = titled_table(_comparison_title(metrics))
    table.add_column("")
    for name in columns:
        table.add_column(_header(METRICS[name].narrow), justify="right", no_wrap=True)
    for name, title in row_names(metrics).items():
        if name not in metrics:
            continue
        cells = [_cell(metrics[name], metric) for metric in columns]
        title = "  perturbed" if name == "perturbed" else title
        table.add_row(Text(title), *cells, style="bold" if name == "test" else "")
    return table


def _header(label: str) -> str:
    """The last word beneath the others, so that narrow columns do."""
    return "\n".join(label.rsplit(" ", 1))


def _trainings(several: Trainings) -> Table:
    """The spread is what the seed alone does; the table above is about the first training."""
    table = titled_table(f"{several.title} that differ by their seed alone")
    table.add_column("seed", no_wrap=True)
    for header in several.columns:
        table.add_column(_header(header), justify="right", no_wrap=True)
    for title, cells in several.rows:
        table.add_row(title, *cells, style="bold" if title == "mean" else "")
    if several.more:
        table.add_row(Text(f"and {count(several.more)} more", style="dim"))
    return table


def _comparison_title(metrics: Metrics) -> str:
    counts = metrics["counts"]["test"]
    total = sum(counts.values())
    if metrics["positive"] is None:
        return f"Test set: {count(total)} images of {len(counts)} classes"
    positives = counts[metrics["positive"]]
    share = f"{100 * positives / total:.3g} %"
    return f"At the test set's prevalence: {count(positives)} of {count(total)} images, {share}"


def _deployment(metrics: Metrics) -> Table:
    deployment = metrics["deployment"]
    share = f"{100 * deployment['prevalence']:.3g} %"
    table = titled_table(f"At the deployment prevalence: {share}")
    table.add_column("", no_wrap=True)
    table.add_column("model", justify="right")
    table.add_column(
        _percent(metrics["confidence_level"]) + " interval", justify="right", style="dim"
    )
    baselines = {
        _header(SHORTCUT): "shortcut_baseline",
        _header(RANDOM): "random_baseline",
        _header(majority_name(metrics["negative"])): "always_negative",
    }
    baselines = {header: row for header, row in baselines.items() if row in deployment}
    for header in baselines:
        table.add_column(header, justify="right")
    for title, name in _DEPLOYMENT_ROWS.items():
        show, model = _shown_by(name), deployment["model"]
        others = [show(deployment[row][name]) for row in baselines.values()]
        value = Text(show(model[name]), style="bold")
        table.add_row(title, value, interval(model, name, show), *others)
    return table


def _deployments(entries: Mapping[str, Metrics]) -> Table:
    """A row a prevalence: recall is the same at each, all else follows the share of positives."""
    table = titled_table("At every deployment prevalence asked for")
    table.add_column("", no_wrap=True)
    for header in _SEVERAL_COLUMNS:
        table.add_column(header, justify="right", no_wrap=True)
    for entry in entries.values():
        model = entry["model"]
        cells = [_cell(model, name, _shown_by(name)) for name in _SEVERAL_COLUMNS.values()]
        table.add_row(f"{100 * entry['prevalence']:.3g} %", *cells)
    return table


def _shown_by(name: str) -> Callable[[float], str]:
    return count if name.endswith("_per_million") else number


def _cell(row: Metrics, name: str, show: Callable[[float], str] | None = None) -> Text:
    cell = Text((show or number)(row[name]))
    between = interval(row, name, show or "{:.3f}".format)
    return cell.append(f"\n{between}", style="not bold dim") if between else cell


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _notes(metrics: Metrics) -> Iterator[str]:
    """What else the reader has to know to believe the numbers."""
    yield from _one_class(metrics)
    yield from _target(metrics)
    if metrics["positive"] is not None:
        yield from _size_note(metrics, metrics["positive"])
        if metrics["threshold"]["name"] != "stated":
            yield _threshold_note(metrics["threshold"])
    if "cost" in metrics:
        yield costs_told(metrics["cost"])
    if "transfer" in metrics:
        yield _transfer_note(metrics["transfer"])
    if metrics["slices"]:
        yield _slices_note(metrics["slices"])
    if "calibrated" in metrics["calibration"]:
        yield _calibration_note(metrics["calibration"])


def _transfer_note(found: Metrics) -> str:
    gap, low, high = (100 * found[name] for name in ("gap", "gap_low", "gap_high"))
    return (
        f"Drawn and real: accuracy {found['drawn_accuracy']:.3f} on {count(found['drawn_images'])} "
        f"drawn test images, {found['real_accuracy']:.3f} on {count(found['real_images'])} real "
        f"ones, which the table is about. The gap is {gap:.1f} points ({low:.1f} to {high:.1f})."
    )


def _size_note(metrics: Metrics, positive: str) -> Iterator[str]:
    test, positives = metrics["test"], metrics["counts"]["test"][positive]
    low, high = test.get("recall_low"), test.get("recall_high")
    if low is not None and high - low > _WIDE_RECALL:
        needed = trials_needed(
            test["recall"], width=_WIDE_RECALL, confidence=metrics["confidence_level"]
        )
        yield (
            f"Recall is estimated from n = {positives} images of '{positive}'. For an interval of "
            f"±0.05 the test set would need about {count(needed)}."
        )


def _threshold_note(threshold: Metrics) -> str:
    aim = {
        "max_f1": "has the highest F1 on validation",
        "recall": f"aims at a recall of {threshold.get('target')}",
        "precision": f"aims at a precision of {threshold.get('target')}",
        "cost": "has the lowest cost on validation",
    }[threshold["name"]]
    what = {"f1": "F1"}.get(threshold["objective"], threshold["objective"])
    parts = [f"The threshold, {number(threshold['model'])}, {aim}."]
    if (sure := threshold.get("target_confidence")) is not None:
        parts.append(f"On new images that holds with a confidence of {number(sure)}.")
    if (reason := threshold.get("reason")) is not None:
        parts.append(f"No guarantee: {reason}.")
    parts.append(
        f"Optimism of the validation {what}: {number(abs(threshold['optimism']))} better there "
        "than expected on new images."
        if threshold["optimism"] > 0
        else f"The validation {what} is no better than expected on new images."
    )
    return " ".join(parts)


def _slices_note(slices: Metrics) -> str:
    """The worst slice of each metric, and how many are significantly worse than the rest."""
    worst = [
        f"{_name(metric)} {number(one['value'])} [{number(one['low'])}{DASH}{number(one['high'])}] "
        f"where {one['worst'].replace('_', ' ')} (n = {count(one['images'])})"
        for metric, one in slices.items()
    ]
    tested = sum(one["n_slices"] for one in slices.values())
    significant = sum(one["n_significant"] for one in slices.values())
    return (
        f"Worst slices: {'; '.join(worst)}. Significantly worse than the rest: "
        f"{significant or 'none'} of {tested} slices (adjusted for their number)."
    )


def _name(metric: str) -> str:
    return METRICS[metric].label if metric in METRICS else metric


def _calibration_note(calibration: Metrics) -> str:
    raw, calibrated = (_off(calibration[name]["ece"]) for name in ("raw", "calibrated"))
    return (
        f"Taken as probabilities, the scores are off {raw} on average (expected calibration "
        f"error); calibrated on validation they are off {calibrated}."
    )


def _off(error: float) -> str:
    """The error is what chance does not explain, so 0 says no more than that."""
    return f"by {number(error)}" if error else "by no more than chance explains"


def _one_class(metrics: Metrics) -> Iterator[str]:
    """What can be said where the test set holds one kind of images alone."""
    counts, positive = metrics["counts"]["test"], metrics["positive"]
    kinds = {label for label, images in counts.items() if images}
    if positive is None and len(kinds) == 1:
        yield f"Every test image is '{kinds.pop()}': how well the others are told is not known."
    elif kinds == {positive}:
        yield (
            f"Every test image is '{positive}': recall can be judged. Specificity, average "
            "precision and whatever depends on the prevalence need other images too."
        )
    elif positive is not None and positive not in kinds:
        low, high = (metrics["test"].get(f"specificity_{end}") for end in ("low", "high"))
        yield (
            f"No test image is '{positive}': the specificity can be judged "
            f"({number(metrics['test']['specificity'])} [{number(low)}{DASH}{number(high)}]). "
            f"Recall, F1, average precision and precision elsewhere need images of '{positive}'."
        )


def _target(metrics: Metrics) -> Iterator[str]:
    if "target" not in metrics:
        return
    target, positive = metrics["target"], metrics["positive"]
    shares = target["shares"]
    labels = [positive] if positive is not None else list(metrics["counts"]["test"])
    told = ", ".join(f"{with_interval(shares, label)} '{label}'" for label in labels)
    yield f"Estimated shares of the {count(target['images'])} unlabelled images: {told}."
    if positive is not None:
        precision = with_interval(target["model"], "precision")
        yield f"Among them expect a precision of {precision}."


def _where_to_look(folder: Path) -> Text:
    return Text(
        f"numbers  {folder}/results.json\n"
        f"pictures {folder}/plots, or `dvc plots show`\n"
        f"images   {folder}/predictions, a row each",
        style="dim",
    )
