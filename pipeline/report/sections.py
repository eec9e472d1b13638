"""The sections of the page, and its pictures, from what the stages before it wrote."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raresight.pipeline import __version__
from raresight.pipeline.evaluation.baselines.registry import BASELINES
from raresight.pipeline.report.about import asked, balance
from raresight.pipeline.report.charts import curves
from raresight.pipeline.report.charts.draw import draw_learning, draw_plane, draw_reliability
from raresight.pipeline.report.charts.painters import Plane
from raresight.pipeline.report.figures.evaluation import (
    draw_calibration,
    draw_confusion,
    draw_planes,
    draw_slices,
)
from raresight.pipeline.report.figures.learning_curves import draw_curves
from raresight.pipeline.report.images import mistakes, sheets
from raresight.pipeline.report.images.doubted import cleaning_shown
from raresight.pipeline.report.images.galleries import galleries
from raresight.pipeline.report.images.made import enlarged_shown
from raresight.pipeline.report.inputs import ReportInputs
from raresight.pipeline.report.judgement import baselines, slices
from raresight.pipeline.report.judgement.operating import operating_points
from raresight.pipeline.report.judgement.panel import Panel, panel
from raresight.pipeline.wording import (
    augmentation_check,
    checks,
    domains,
    near_duplicates,
    object_removed,
)
from raresight.pipeline.wording.notes import notes
from raresight.pipeline.wording.numbers import costs_told
from raresight.pipeline.wording.trainings import trainings
from raresight.pipeline.wording.verdict import Part, opening, rest

_RARE = 0.05  # share of the positive class below which scores crowd near 0


@dataclass(frozen=True, kw_only=True)
class Planes:
    """Precision against recall in the test set and at deployment prevalence, and the ROC curve."""

    own: Plane
    deployed: Plane | None
    roc: Plane


def sections(inputs: ReportInputs, planes: Planes | None) -> dict[str, Any]:
    """What the templates fill in, by the names they know it by."""
    results, task, test = inputs.results, inputs.task, inputs.test
    resolved = {name: asked.rows(section) for name, section in inputs.asked.items()}
    return {
        "metrics": results,
        "task": task,
        "facts": _facts(inputs),
        "opening": _weighted(opening(results)),
        "verdict": _weighted([*rest(results), *checks.in_verdict(results)]),
        "copies_checked": _copies_checked(results),
        "object_removed": _object_removed(results),
        "cards": baselines.cards(results),
        "baselines": [f"the {each.label} {each.about}" for each in BASELINES.values()],
        "trainings": trainings(results),
        "costs": costs_told(results["cost"]) if "cost" in results else None,
        "panel": _panel(inputs),
        "places": inputs.places,
        "charts": _charts(planes),
        "focus": mistakes.counted(test),
        "confusion": test.confusion.tolist(),
        "confused": mistakes.confused(test.confusion, task.classes),
        "per_class": mistakes.by_class(results),
        "reliability": draw_reliability(
            inputs.reliability, rare=_rare(inputs), event=_event(inputs)
        ),
        "slices": _slices(inputs),
        "galleries": galleries(
            inputs.originals,
            inputs.predictions["test"]["id"].to_pylist(),
            test,
            most=inputs.params.mistakes,
        ),
        "bands": sheets.bands(
            inputs.originals,
            per_class=inputs.params.images_per_class,
            seed=inputs.params.seed,
        ),
        "cleaned": cleaning_shown(inputs.originals, inputs.cleaning),
        "enlarged": enlarged_shown(inputs.originals, inputs.enlarged),
        "families": sheets.families(inputs.originals, inputs.copies, seed=inputs.params.seed),
        "images": inputs.images,
        "repeats": near_duplicates.of_split(inputs.splits["near_duplicates"]),
        "domains": _domains(inputs.splits),
        "balances": balance.balances(inputs.images, inputs.card["class_shares"], task.classes),
        "augmented": inputs.augmented,
        "model": inputs.card,
        "training": inputs.training,
        "training_charts": draw_learning(inputs.curves[0], **_marked(inputs)),
        "asked": resolved,
        "changed": asked.changed(resolved),
        "title": inputs.params.title,
        "remarks": _paragraphs(inputs.params.notes),
        "bear_in_mind": list(notes(results)),
        "factors": inputs.factors,
        "identity": inputs.identity,
        "judgement": inputs.judgement,
        "versions": _versions(inputs),
    }


def _paragraphs(text: str | None) -> list[str]:
    """The parts of a text that empty lines part."""
    return [part.strip() for part in re.split(r"\n\s*\n", text or "") if part.strip()]


def _weighted(parts: Iterable[Part]) -> list[tuple[str, str]]:
    """Each text with its weight."""
    return [part if isinstance(part, tuple) else (part, "") for part in parts]


def _copies_checked(results: Mapping[str, Any]) -> list[tuple[str, ...]] | None:
    return list(augmentation_check.rows(results)) if "augmentation_check" in results else None


def _object_removed(results: Mapping[str, Any]) -> dict[str, Any] | None:
    if "object_removed" not in results:
        return None
    return {
        "told": "".join(object_removed.told(results)),
        "rows": list(object_removed.rows(results)),
    }


def draw_pictures(inputs: ReportInputs, planes: Planes | None, folder: Path) -> None:
    """Write the pictures of training and evaluation, which `dvc plots` shows, into ``folder``."""
    draw_curves(inputs.curves, folder / "training.png", **_marked(inputs))
    draw_confusion(inputs.test, folder / "confusion.png")
    if planes is not None:
        shown = [planes.own] if planes.deployed is None else [planes.own, planes.deployed]
        draw_planes(shown, folder / "precision_recall.png")
    draw_calibration(
        inputs.reliability,
        folder / "calibration.png",
        rare=_rare(inputs),
        event=_event(inputs),
    )
    draw_slices(_slices(inputs), inputs.results["test"], folder / "slices.png")


def _domains(splits: Mapping[str, Any]) -> dict[str, Any] | None:
    """How drawn images that teach differ from real ones that judge, where there are both."""
    found = splits.get("drawn_and_real")
    if found is None:
        return None
    return {
        "headline": domains.headline(found),
        "sentences": list(domains.differences(found)),
        "rows": list(domains.rows(found)),
    }


def _marked(inputs: ReportInputs) -> dict[str, int]:
    """What is marked in the learning curves: the epoch kept, and those of a first phase."""
    before = inputs.training.get("pretrain", {}).get("epochs", 0)
    return {"best": inputs.training["best_epoch"], "pretrained": before}


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
    index, test = inputs.task.positive_index, inputs.test
    if index is None:
        return None
    positive = test.targets == index
    if positive.all() or not positive.any():
        return None
    stops = operating_points(
        test.scores[:, index], positive, chosen=inputs.results["threshold"]["model"]
    )
    prevalences = [place["prevalence"] for place in inputs.places]
    return panel(stops, deployment=prevalences, settings=inputs.intervals)


def planes_of(inputs: ReportInputs) -> Planes | None:
    """The curves; None where the test set holds one class only."""
    outcomes = {
        "model": inputs.test,
        "perturbed images": inputs.outcome("perturbed"),
        **{baseline.label: inputs.outcome(name) for name, baseline in BASELINES.items()},
    }
    data = curves.ranked(outcomes, settings=inputs.intervals)
    if data is None:
        return None
    deployed = None
    if "deployment" in inputs.results:
        there = inputs.results["deployment"]["prevalence"]
        deployed = curves.precision_recall(data, prevalence=there)
    own = curves.precision_recall(data, prevalence=None)
    return Planes(own=own, deployed=deployed, roc=curves.roc(data))


def _charts(planes: Planes | None) -> dict[str, str] | None:
    if planes is None:
        return None
    charts = {"pr": draw_plane(planes.own, name="pr")}
    if planes.deployed is not None:
        charts["pr_there"] = draw_plane(planes.deployed, name="there")
    return charts | {"roc": draw_plane(planes.roc, name="roc")}


def _rare(inputs: ReportInputs) -> bool:
    if inputs.task.positive is None:
        return False
    return bool(inputs.test.main_ranking.positive.mean() < _RARE)


def _event(inputs: ReportInputs) -> str:
    """What calibration is about."""
    positive = inputs.task.positive
    return "is classified correctly" if positive is None else f"is '{positive}'"


def _slices(inputs: ReportInputs) -> Mapping[str, tuple[slices.Slice, ...]]:
    return slices.worst(inputs.slices, confidence=inputs.intervals.confidence_level)


def _versions(inputs: ReportInputs) -> dict[str, str]:
    """Raresight, the libraries that decided the bytes, and what the training ran on."""
    found = {"raresight": __version__}
    for dataset in (inputs.originals, inputs.copies):
        found |= dataset.description.versions
    return found | {name: str(value) for name, value in inputs.fingerprint.items()}
