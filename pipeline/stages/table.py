"""The stages in the order of the work: the one list that the rest is made from.

The command line, the sections of params.yaml, what a stage says it wrote and what the page shows
are read here, and a test holds dvc.yaml to it. A new stage is a module beside this one and an entry
below (CONTRIBUTING.md has the recipe). The table imports no stage and, but for the report, no stage
imports it: an entry runs no other stage again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raresight.pipeline.core.params import Section


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is known of a stage without loading it.

    ``example`` is a use of its command. ``section`` names the model of its params as
    ``module:class`` (None: the stage reads the whole file), and ``reads`` other sections that it
    works by. ``options`` are those of the command line that it takes (pipeline/cli/stages.py has
    them all). ``outputs`` are the folders below the data folder that DVC keeps; Git keeps the files
    ``results``, with all the numbers, and ``metrics``, with the few that people compare in DVC's
    tables. ``shown`` says whether the page shows its section of params.yaml.

    ``revision`` counts the meanings that the same params, inputs and library versions have had: it
    is raised, with a line in CHANGELOG.md, by every change that moves a byte of an output.
    """

    description: str
    example: str
    section: str | None
    outputs: tuple[str, ...]
    reads: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    shown: bool = True
    revision: int = 1

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders directly below the data folder that it writes to."""
        return tuple(
            dict.fromkeys(
                path.split("/")[0] for path in (*self.outputs, *self.results, *self.metrics)
            )
        )


STAGES: Mapping[str, Stage] = {
    "check": Stage(
        description="Refuse a params.yaml with a mistake before any earlier result is gone.",
        example="check",
        section=None,
        outputs=("checked",),
        shown=False,
        revision=2,
    ),
    "generate": Stage(
        description="Draw (or read in) every labelled image.",
        example="generate --workers 4",
        section="raresight.pipeline.generation.params:GenerateParams",
        outputs=("generated",),
        options=("workers", "executor"),
        revision=5,
    ),
    "augment": Stage(
        description="Enlarge classes with copies that still show their label.",
        example="augment --workers 4",
        section="raresight.pipeline.augmentation.params:AugmentParams",
        outputs=("augmented",),
        options=("workers", "executor"),
        revision=4,
    ),
    "split": Stage(
        description="Assign every source to train, val or test; a copy follows its source.",
        example="split",
        section="raresight.pipeline.splitting.params:SplitParams",
        outputs=("splits",),
        options=("keep",),
        revision=6,
    ),
    "clean": Stage(
        description="List training images that look wrong, and leave out those that it is told to.",
        example="clean --device cuda",
        section="raresight.pipeline.cleaning.params:CleanParams",
        reads=("train",),
        outputs=("cleaning",),
        options=("device",),
        revision=3,
    ),
    "enlarge": Stage(
        description="Make more training images of rare classes, and check them.",
        example="enlarge --device cuda",
        section="raresight.pipeline.enlarging.params:EnlargeParams",
        reads=("train",),
        outputs=("enlarged",),
        options=("device",),
        revision=3,
    ),
    "train": Stage(
        description="Fit the classifier; keep the epoch that ranks validation best.",
        example="train --device cuda",
        section="raresight.pipeline.training.params:TrainParams",
        outputs=("model", "training/curves"),
        results=("training/results.json",),
        metrics=("training/metrics.json",),
        options=("device", "resume", "log"),
        revision=6,
    ),
    "evaluate": Stage(
        description="Judge the model beside its baselines, on clean and perturbed test images.",
        example="evaluate --predictions scores.csv --positive mitotic --threshold 0.5",
        section="raresight.pipeline.evaluation.params:EvaluateParams",
        outputs=("evaluation/predictions", "evaluation/plots", "decision"),
        results=("evaluation/results.json",),
        metrics=("evaluation/metrics.json",),
        options=("device", "executor"),
        revision=9,
    ),
    "report": Stage(
        description="Show what was asked, done and found on one page, data/report/index.html.",
        example="report --against HEAD~1 --out against.html",
        section="raresight.pipeline.report.params:ReportParams",
        outputs=("report",),
        shown=False,
        revision=6,
    ),
}


# Sections of params.yaml that belong to no stage, and may be left out: only the cards read them.
OPTIONAL_SECTIONS: Mapping[str, str] = {"card": "raresight.pipeline.cards.params:CardParams"}


def optional_models() -> "dict[str, type[Section]]":
    """The model of every section that may be left out."""
    return {name: _load_reference(reference) for name, reference in OPTIONAL_SECTIONS.items()}


def section_model(name: str) -> "type[Section] | None":
    """The model of a stage's section of params.yaml, None where it has none."""
    stage = STAGES.get(name)
    return _load_reference(stage.section) if stage and stage.section else None


def section_models() -> "dict[str, type[Section]]":
    """The model of every section of params.yaml, in the order of the stages; it loads them all."""
    return {name: _load_reference(one.section) for name, one in STAGES.items() if one.section}


def _load_reference(reference: str) -> "type[Section]":
    module, _, name = reference.partition(":")
    found: type[Section] = getattr(import_module(module), name)
    return found
