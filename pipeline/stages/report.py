"""report: one page that shows what was asked, what was done and how good it is."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from raresight.pipeline import __version__
from raresight.pipeline.core import seeds
from raresight.pipeline.core.files import read_json, require_verified, stage_outputs
from raresight.pipeline.core.params import Section, check_sections, load_section, refuse
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task
from raresight.pipeline.evaluation.uncertainty.intervals import PROPORTIONS
from raresight.pipeline.report import asked, balance, comparison, curves, mistakes, sheets, slices
from raresight.pipeline.report.charts import draw_learning, draw_reliability
from raresight.pipeline.report.figures import write_figures
from raresight.pipeline.report.learning_curves import draw_curves
from raresight.pipeline.report.operating import operating_points
from raresight.pipeline.report.page import render
from raresight.pipeline.report.panel import Panel, panel
from raresight.pipeline.report.params import ReportParams
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.stages.table import STAGES, section_models
from raresight.pipeline.wording.names import SHORTCUT
from raresight.pipeline.wording.numbers import costs_told, verdict
from raresight.pipeline.wording.trainings import trainings

OUTPUT, PAGE, FIGURES, LEARNING = "report", "index.html", "figures", "training.png"
_RARE = 0.05  # share of the positive class below which scores crowd near 0
# The sections of params.yaml that the page shows: dvc.yaml lists the file as a dep.
SHOWN = tuple(name for name, stage in STAGES.items() if stage.shown)
_INPUTS = {
    "generated": "generate",
    "augmented": "augment",
    "splits": "split",
    "model": "train",
    "training/curves": "train",
    "evaluation/predictions": "evaluate",
    "evaluation/plots": "evaluate",
}


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """Everything that the page is made from."""

    params: ReportParams
    asked: Mapping[str, Section]
    originals: Dataset
    copies: Dataset
    data: Path

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        return read_json(self.data / "evaluation" / "results.json")

    @property
    def places(self) -> list[Mapping[str, Any]]:
        """The figures at every deployment prevalence; none without a positive class."""
        if "deployment" not in self.metrics:
            return []
        return list(self.metrics.get("deployment_at", {"": self.metrics["deployment"]}).values())

    @cached_property
    def images(self) -> Mapping[str, Any]:
        return read_json(self.data / "splits" / "summary.json")["images"]

    @cached_property
    def training(self) -> Mapping[str, Any]:
        return read_json(self.data / "training" / "results.json")

    @cached_property
    def curves(self) -> list[dict[str, list[float]]]:
        """The curves of each training, the model's first."""
        folder = self.data / "training" / "curves"
        return [_columns(path) for path in (folder / "curves.tsv", *folder.glob("curves-*.tsv"))]

    @cached_property
    def task(self) -> Task:
        return Task(classes=self.originals.classes, positive=self.originals.positive)

    @cached_property
    def test(self) -> Predictions:
        return self.outcome("test")

    @cached_property
    def perturbed(self) -> Predictions:
        return self.outcome("perturbed")

    @cached_property
    def test_ids(self) -> list[str]:
        return _table(self.data / "evaluation" / "predictions" / "test.arrow")["id"].to_pylist()

    def outcome(self, name: str) -> Predictions:
        """What was said about the test images in predictions/NAME.arrow."""
        path = self.data / "evaluation" / "predictions" / f"{name}.arrow"
        table, classes = _table(path), self.task.classes
        try:
            scores = np.stack([table[f"score.{label}"].to_numpy() for label in classes], axis=1)
        except KeyError as error:
            raise DataError(f"{path} lacks the column {error}. Run `raresight evaluate`.") from None
        targets = np.searchsorted(np.asarray(classes), table["label"].to_numpy().astype(str))
        answers = np.searchsorted(np.asarray(classes), table["predicted"].to_numpy().astype(str))
        return Predictions(task=self.task, targets=targets, scores=scores, predicted=answers)


def run(params_file: Path, data: Path) -> Path:
    """Write ``data/report/index.html``, with pictures beside it, and return the page's path."""
    params = load_section(params_file, "report", ReportParams)
    for name, stage in _INPUTS.items():
        require_verified(data / name, stage)
    inputs = ReportInputs(
        params=params,
        asked=_asked(params_file),
        originals=Dataset(data / "generated"),
        copies=Dataset(data / "augmented"),
        data=data,
    )
    text = render(_sections(inputs))
    with stage_outputs(data / OUTPUT) as (folder,):
        (folder / PAGE).write_text(text)
        write_figures(folder / FIGURES, inputs.originals, inputs.copies, counts=inputs.images)
        draw_curves(inputs.curves, folder / FIGURES / LEARNING, best=inputs.training["best_epoch"])
    return data / OUTPUT / PAGE


def _asked(params_file: Path) -> dict[str, Section]:
    """The sections that the page shows, with their defaults."""
    models = section_models()
    sections, problems = check_sections(
        params_file, {name: models[name] for name in SHOWN}, only=True
    )
    refuse(params_file, problems)
    return sections


def _sections(inputs: ReportInputs) -> dict[str, Any]:
    metrics, task = inputs.metrics, inputs.task
    return {
        "metrics": metrics,
        "task": task,
        "facts": _facts(inputs),
        "verdict": [part if isinstance(part, tuple) else (part, "") for part in verdict(metrics)],
        "cards": comparison.cards(metrics),
        "trainings": trainings(metrics),
        "costs": costs_told(metrics["cost"]) if "cost" in metrics else None,
        "panel": _panel(inputs),
        "places": inputs.places,
        "charts": _charts(inputs),
        "focus": mistakes.counted(inputs.test),
        "confusion": inputs.test.confusion.tolist(),
        "confused": mistakes.confused(inputs.test.confusion, task.classes),
        "per_class": mistakes.by_class(metrics),
        "reliability": _reliability(inputs),
        "slices": slices.worst(
            _rows(inputs.data / "evaluation/plots" / "slices.tsv"),
            confidence=metrics["confidence_level"],
        ),
        "galleries": _galleries(inputs),
        "bands": sheets.bands(
            inputs.originals,
            per_class=inputs.params.images_per_class,
            seed=inputs.params.seed,
        ),
        "families": sheets.families(inputs.originals, inputs.copies, seed=inputs.params.seed),
        **_learning(inputs),
        "asked": asked.in_columns(inputs.asked),
        "versions": _versions(inputs),
    }


def _facts(inputs: ReportInputs) -> dict[str, Any]:
    height, width, _ = inputs.originals.image_shape
    sources = inputs.originals.description.sources
    return {
        "images": len(inputs.originals),
        "copies": len(inputs.copies),
        "size": f"{width} x {height}",
        "generators": ", ".join(sorted({source.get("generator", "?") for source in sources})),
        "masks": inputs.originals.masks is not None,
    }


def _panel(inputs: ReportInputs) -> Panel | None:
    """None without a positive class, or where the test set lacks one side of it."""
    task, test = inputs.task, inputs.test
    if task.positive_index is None:
        return None
    positive = test.targets == task.positive_index
    if positive.all() or not positive.any():
        return None
    stops = operating_points(
        test.scores[:, task.positive_index],
        positive,
        chosen=inputs.metrics["threshold"]["model"],
    )
    metrics = inputs.metrics
    return panel(
        stops,
        deployment=[place["prevalence"] for place in inputs.places],
        confidence=metrics["confidence_level"],
        interval=PROPORTIONS[inputs.asked["evaluate"].proportion_interval],
    )


def _charts(inputs: ReportInputs) -> dict[str, str] | None:
    """The curves as drawings; None where the test set holds one class only."""
    metrics = inputs.metrics
    outcomes = {
        "model": inputs.test,
        "perturbed images": inputs.perturbed,
        SHORTCUT: inputs.outcome("shortcut_baseline"),
    }
    rng = seeds.rng(inputs.params.seed, "report", "band")
    data = curves.ranked(outcomes, confidence=metrics["confidence_level"], rng=rng)
    if data is None:
        return None
    charts = {"pr": curves.draw_precision_recall(data, prevalence=None, name="pr")}
    if "deployment" in metrics:
        there = metrics["deployment"]["prevalence"]
        charts["pr_there"] = curves.draw_precision_recall(data, prevalence=there, name="there")
    return charts | {"roc": curves.draw_roc(data, name="roc")}


def _reliability(inputs: ReportInputs) -> str:
    positive, test = inputs.task.positive, inputs.test
    names = {"raw": "calibration_raw.tsv", "calibrated": "calibration.tsv"}
    bins = {name: _columns(inputs.data / "evaluation/plots" / file) for name, file in names.items()}
    rare = positive is not None and test.main_ranking.positive.mean() < _RARE
    happens = "is called right" if positive is None else f"is '{positive}'"
    return draw_reliability(bins, rare=rare, happens=happens)


def _galleries(inputs: ReportInputs) -> list[mistakes.Gallery]:
    test, task = inputs.test, inputs.task
    found = mistakes.surest(test.scores, test.targets, test.predicted, positive=task.positive_index)
    row_of = {id: row for row, id in enumerate(inputs.originals.ids.tolist())}

    def mistake(row: int, score: float) -> mistakes.Mistake:
        id = inputs.test_ids[row]
        return mistakes.Mistake(
            id=id,
            actual=task.classes[test.targets[row]],
            called=task.classes[test.predicted[row]],
            score=score,
            picture=sheets.picture_of(inputs.originals, row_of[id]),
        )

    most = inputs.params.mistakes
    return [
        mistakes.Gallery(
            kind=kind,
            total=len(rows),
            mistakes=tuple(map(mistake, rows[:most].tolist(), scores[:most].tolist())),
        )
        for kind, (rows, scores) in found.items()
    ]


def _learning(inputs: ReportInputs) -> dict[str, Any]:
    """What was learned from, and how it went."""
    card = read_json(inputs.data / "model" / "model.json")
    return {
        "images": inputs.images,
        "balances": balance.balances(inputs.images, card["class_shares"], inputs.task.classes),
        "augmented": read_json(inputs.data / "augmented" / "report.json"),
        "model": card,
        "training": inputs.training,
        "training_charts": draw_learning(inputs.curves[0], best=inputs.training["best_epoch"]),
    }


def _versions(inputs: ReportInputs) -> dict[str, str]:
    """Raresight, the libraries that decided the bytes, and what the training ran on."""
    found = {"raresight": __version__}
    for dataset in (inputs.originals, inputs.copies):
        found |= dataset.description.versions
    fingerprint = read_json(inputs.data / "model" / "fingerprint.json")
    return found | {name: str(value) for name, value in fingerprint.items()}


def _columns(path: Path) -> dict[str, list[float]]:
    """A table of numbers as columns."""
    rows = _rows(path)
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _table(path: Path) -> pa.Table:
    with pa.OSFile(str(path)) as source:
        return pa.ipc.open_file(source).read_all()
