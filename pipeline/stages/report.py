"""report: one page that shows what was asked, what was done and how good it is."""

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from raresight.generators import registry
from raresight.pipeline.cards.facts import DatasetFacts, ModelFacts
from raresight.pipeline.cards.params import CardParams
from raresight.pipeline.cards.writing import write_cards
from raresight.pipeline.cleaning.table import FOLDER as CLEANING
from raresight.pipeline.cleaning.table import read_cleaning
from raresight.pipeline.core.arrow import read_arrow
from raresight.pipeline.core.csv_file import read_rows
from raresight.pipeline.core.files import read_json, stage_outputs
from raresight.pipeline.core.inputs import read_results, require_inputs, understood
from raresight.pipeline.core.params import Section, check_sections, load_section, refuse
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.evaluation.decisions.kept import KeptDecision
from raresight.pipeline.report.about.identity import identity
from raresight.pipeline.report.figures.write import write_figures
from raresight.pipeline.report.images.made import Enlarged
from raresight.pipeline.report.inputs import ReportInputs
from raresight.pipeline.report.page import render
from raresight.pipeline.report.params import ReportParams
from raresight.pipeline.report.sections import Planes, draw_pictures, planes_of, sections
from raresight.pipeline.stages.table import STAGES, section_models

OUTPUT, PAGE, FIGURES, ENLARGED = "report", "index.html", "figures", "enlarged"
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
    "decision": "evaluate",
}
_NUMBERS = ("training/results.json", "evaluation/results.json")
_PREDICTIONS = ("test", "perturbed", *BASELINES)


@dataclass(frozen=True, kw_only=True)
class Page:
    """The page's text, and what it was made from; ``planes`` are its curves."""

    inputs: ReportInputs
    planes: Planes | None
    text: str


def run(params_file: Path, data: Path) -> Path:
    """Write ``data/report/index.html``, with pictures beside it, and return the page's path."""
    page = read_page(params_file, data)
    card = load_section(params_file, "card", CardParams, optional=True)
    inputs, read = page.inputs, [data / name for name in (*_inputs(data), *_NUMBERS)]
    with (
        _understood(data),
        stage_outputs(data / OUTPUT, inputs=read, needed=len(page.text)) as (folder,),
    ):
        (folder / PAGE).write_text(page.text, encoding="utf-8", newline="\n")
        write_cards(folder, card, _facts(inputs, data))
        write_figures(
            folder / FIGURES,
            inputs.originals,
            inputs.copies,
            counts=inputs.images,
            findings=() if inputs.cleaning is None else inputs.cleaning.findings,
            made=inputs.enlarged,
        )
        draw_pictures(inputs, page.planes, folder / FIGURES)
    return data / OUTPUT / PAGE


def read_page(params_file: Path, data: Path) -> Page:
    """Everything that the page tells. DataError where a file holds what cannot be shown."""
    params = load_section(params_file, "report", ReportParams)
    require_inputs(data, _inputs(data))
    asked = _asked(params_file)
    with _understood(data):
        inputs = _read(params, asked, data)
        planes = planes_of(inputs)
        return Page(inputs=inputs, planes=planes, text=render(sections(inputs, planes)))


def _understood(data: Path) -> AbstractContextManager[None]:
    from jinja2 import UndefinedError

    return understood(f"What the page is made from, in {data},", "Run `dvc repro`.", UndefinedError)


def _inputs(data: Path) -> dict[str, str]:
    """The folders below ``data`` that the page is made from, and the stage of each."""
    optional = {CLEANING: "clean", ENLARGED: "enlarge"}
    return _INPUTS | {name: stage for name, stage in optional.items() if (data / name).is_dir()}


def _facts(inputs: ReportInputs, data: Path) -> ModelFacts:
    """What the cards tell."""
    return ModelFacts(
        model=inputs.card,
        decision=KeptDecision.read(data / "decision"),
        results=inputs.results,
        dataset=DatasetFacts.of_summary(inputs.originals, inputs.images),
    )


def _asked(params_file: Path) -> dict[str, Section]:
    """The sections that the page shows, with their defaults."""
    models = section_models()
    sections, problems = check_sections(
        params_file, {name: models[name] for name in SHOWN}, only=True
    )
    refuse(params_file, problems)
    return sections


def _read(params: ReportParams, asked: dict[str, Section], data: Path) -> ReportInputs:
    tables, plots = data / "evaluation" / "predictions", data / "evaluation" / "plots"
    originals, splits = Dataset(data / "generated"), read_json(data / "splits" / "summary.json")
    return ReportInputs(
        params=params,
        asked=asked,
        originals=originals,
        copies=Dataset(data / "augmented"),
        results=read_results(data / "evaluation" / "results.json", "evaluate"),
        training=read_results(data / "training" / "results.json", "train"),
        card=read_json(data / "model" / "model.json"),
        fingerprint=read_json(data / "model" / "fingerprint.json"),
        augmented=read_json(data / "augmented" / "report.json"),
        images=splits["images"],
        splits=splits,
        cleaning=read_cleaning(data / CLEANING) if (data / CLEANING).is_dir() else None,
        enlarged=_enlarged(data / ENLARGED),
        predictions={name: _table(tables / f"{name}.arrow") for name in _PREDICTIONS},
        slices=read_rows(plots / "slices.tsv", stage="evaluate", delimiter="\t"),
        reliability={
            "raw": _columns(plots / "calibration_raw.tsv"),
            "calibrated": _columns(plots / "calibration.tsv"),
        },
        curves=_curves(data / "training" / "curves"),
        factors=_meanings(originals),
        identity=identity(data, (*_inputs(data), *_NUMBERS), asked),
        judgement=hashlib.md5((data / "evaluation/results.json").read_bytes()).hexdigest(),
    )


def _enlarged(folder: Path) -> Enlarged | None:
    if not folder.is_dir():
        return None
    return Enlarged(images=Dataset(folder), report=read_json(folder / "report.json"))


def _meanings(data: Dataset) -> dict[str, str]:
    """What each factor means, by the generators that drew it; of one that is not here, nothing."""
    found: dict[str, str] = {}
    for source in data.description.sources:
        try:
            factors = registry.find(source["generator"]).factors
        except (KeyError, registry.BadGenerator):
            continue
        found |= {name: meaning for name, (_, meaning) in factors.items()}
    return {name: found[name] for name in data.description.factors if name in found}


def _curves(folder: Path) -> list[dict[str, list[float]]]:
    """The curves of each training, the model's first."""
    return [
        _columns(path) for path in (folder / "curves.tsv", *sorted(folder.glob("curves-*.tsv")))
    ]


def _columns(path: Path) -> dict[str, list[float]]:
    """A table of numbers as columns."""
    rows = read_rows(
        path, stage="train" if path.name.startswith("curves") else "evaluate", delimiter="\t"
    )
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def _table(path: Path) -> pa.Table:
    return read_arrow(path, missing="Run `raresight evaluate` first.")
