"""The results of an evaluation as a person reads them in a terminal."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.metrics.metric import View
from raresight.pipeline.evaluation.metrics.registry import METRICS, shown
from raresight.pipeline.terminal.tables import PlainTable, Row, WideTable, titled_table
from raresight.pipeline.wording import augmentation_check, checks
from raresight.pipeline.wording.names import RANDOM, majority_name, row_names
from raresight.pipeline.wording.notes import notes
from raresight.pipeline.wording.numbers import (
    Metrics,
    count,
    figure,
    groups_told,
    interval,
    level,
    number,
)
from raresight.pipeline.wording.trainings import Trainings, trainings
from raresight.pipeline.wording.verdict import verdict

# What there is at a deployment prevalence besides metrics of METRICS.
_PER_MILLION = {
    "predicted_positives_per_million": "predicted positives per million",
    "misses_per_million": "misses per million",
}

_WIDEST_NAME = 20  # of a row, where five columns of numbers stand beside it


def render(metrics: Metrics, *, folder: Path | None = Path("data/evaluation")) -> RenderableType:
    """The verdict, the tables, and where to look, from the contents of results.json.

    Fits a terminal of 80 columns. ``folder`` is where the evaluation lies, None for one that is
    kept nowhere. Rows that a judgement of scores alone does not have are left out.
    """
    said = Text.assemble(*verdict(metrics), *checks.in_verdict(metrics))
    parts: list[RenderableType] = [Padding(said, (1, 0))]
    parts.append(_comparison(metrics))
    if "augmentation_check" in metrics:
        parts.append(Padding(_augmentation_check(metrics), (1, 0, 0, 0)))
    if (several := trainings(metrics)) is not None:
        parts.append(Padding(_trainings(several), (1, 0, 0, 0)))
    if metrics["positive"] is not None:
        parts.append(Padding(_deployment(metrics), (1, 0, 0, 0)))
        if "deployment_at" in metrics:
            parts.append(Padding(_deployments(metrics["deployment_at"]), (1, 0, 0, 0)))
    parts += [Padding(Text(note), (1, 0, 0, 0)) for note in notes(metrics)]
    parts.append(Padding(_where_to_look(folder), (1, 0)) if folder else Text())
    return Group(*parts)


def _comparison(metrics: Metrics) -> WideTable:
    columns = shown("table", positive=metrics["positive"] is not None)
    rows = [
        Row(
            name="  perturbed" if name == "perturbed" else title,
            cells=[_cell(metrics[name], metric) for metric in columns],
            style="bold" if name == "test" else "",
        )
        for name, title in row_names(metrics).items()
        if name in metrics
    ]
    return WideTable(
        title=_comparison_title(metrics),
        corner="",
        columns=[_header(METRICS[name].narrow) for name in columns],
        rows=rows,
    )


def _augmentation_check(metrics: Metrics) -> PlainTable:
    """Whether the look of the copies alone changes the answers."""
    labels = metrics["augmentation_check"]["classes"]
    table = titled_table(augmentation_check.title(labels))
    table.add_column("test images of", no_wrap=True)
    for heading in ("images", "as they are", "as copies", "difference"):
        table.add_column(heading, justify="right")
    for row in augmentation_check.rows(metrics):
        table.add_row(*row)
    return table


def _header(label: str) -> str:
    """The last word beneath the others, so that narrow columns do."""
    return "\n".join(label.rsplit(" ", 1))


def _trainings(several: Trainings) -> WideTable:
    """The spread is what the seed alone does; the table above is about the first training."""
    rows = [
        Row(name=title, cells=cells, style="bold" if title == "mean" else "")
        for title, cells in several.rows
    ]
    if several.more:
        empty = [""] * len(several.columns)
        rows.append(Row(name=f"and {count(several.more)} more", cells=empty, style="dim"))
    return WideTable(
        title=f"{several.title} that differ by their seed alone",
        corner="seed",
        columns=[_header(header) for header in several.columns],
        rows=rows,
    )


def _comparison_title(metrics: Metrics) -> str:
    counts = metrics["counts"]["test"]
    total = sum(counts.values())
    if metrics["positive"] is None:
        return f"Test set: {count(total)} images of {len(counts)} classes{groups_told(metrics)}"
    positives = counts[metrics["positive"]]
    share = f"{100 * positives / total:.3g} %"
    title = f"At the test set's prevalence: {count(positives)} of {count(total)} images, {share}"
    return title + groups_told(metrics, metrics["positive"])


def _deployment(metrics: Metrics) -> WideTable:
    deployment = metrics["deployment"]
    share = f"{100 * deployment['prevalence']:.3g} %"
    between = level(metrics["intervals"]["confidence_level"]) + " interval"
    model_header = Text("model\n").append(between, style="dim")
    baselines = {
        **{_header(baseline.label): name for name, baseline in BASELINES.items()},
        _header(RANDOM): "random_baseline",
        _header(majority_name(metrics["negative"])): "always_negative",
    }
    baselines = {header: row for header, row in baselines.items() if row in deployment}
    rows = []
    for name, title in (_at_prevalence("deployment") | _PER_MILLION).items():
        show, model = _shown_by(name), deployment["model"]
        others = [figure(deployment[row], name, show) for row in baselines.values()]
        value = _cell(model, name, show)
        value.stylize("bold", 0, len(figure(model, name, show)))
        name = _stacked(title) if len(title) > _WIDEST_NAME else title
        rows.append(Row(name=name, cells=[value, *others]))
    return WideTable(
        title=f"At the deployment prevalence: {share}",
        corner="",
        columns=[model_header, *baselines],
        rows=rows,
    )


def _at_prevalence(view: View) -> dict[str, str]:
    """What is shown of a deployment, and what it is called."""
    return {name: METRICS[name].label for name in shown(view, positive=True)}


def _deployments(entries: Mapping[str, Metrics]) -> WideTable:
    """A row a prevalence: recall is the same at each, all else follows the share of positives."""
    predicted = "predicted_positives_per_million"
    columns = _at_prevalence("prevalences") | {predicted: _PER_MILLION[predicted]}
    rows = [
        Row(
            name=f"{100 * entry['prevalence']:.3g} %",
            cells=[_cell(entry["model"], name, _shown_by(name)) for name in columns],
        )
        for entry in entries.values()
    ]
    return WideTable(
        title="At every deployment prevalence asked for",
        corner="",
        columns=[_stacked(title) for title in columns.values()],
        rows=rows,
    )


def _stacked(title: str) -> str:
    """A long title in two lines that are about as long."""
    places = [place for place, letter in enumerate(title) if letter == " "]
    if not places:
        return title
    middle = min(places, key=lambda place: abs(place - len(title) / 2))
    return f"{title[:middle]}\n{title[middle + 1 :]}"


def _shown_by(name: str) -> Callable[[float | None], str]:
    return count if name.endswith("_per_million") else number


def _cell(row: Metrics, name: str, show: Callable[[float | None], str] | None = None) -> Text:
    cell = Text(figure(row, name, show))
    between = interval(row, name, show or "{:.3f}".format)
    return cell.append(f"\n{between}", style="not bold dim") if between else cell


def _where_to_look(folder: Path) -> Text:
    return Text(
        f"numbers  {folder}/results.json\n"
        f"curves   {folder}/plots, drawn by `dvc plots show` and `raresight report`\n"
        f"images   {folder}/predictions, a row each",
        style="dim",
    )
