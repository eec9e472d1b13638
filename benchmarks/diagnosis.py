"""How often the diagnosis names the cause of a training whose cause is known.

``python -m benchmarks.diagnosis [--rules] [--json FILE]``: the rules of the diagnosis were set on
the trainings that ``--rules`` runs; without it those run that no rule has seen, on other tasks and
with other seeds. One core, some minutes.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.inputs import params_document
from benchmarks.known_causes import CAUSES, Training, images_of, trainings
from raresight.pipeline.core.params import parse
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.evaluation.uncertainty.intervals import wilson
from raresight.pipeline.runtime.progress import track
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.diagnosis.diagnosis import diagnose
from raresight.pipeline.training.diagnosis.divergence import Divergence, LossDivergedError
from raresight.pipeline.training.diagnosis.history import Epoch
from raresight.pipeline.training.initialization import fresh
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.wording.diagnosis import OUTCOMES

RULES = {"tasks": ("squares", "stripes", "digits"), "seeds": (1, 2, 3, 4)}
UNSEEN = {"tasks": ("dots", "letters"), "seeds": (21, 22, 23, 24, 25)}
_VAL = 400
_CPU = torch.device("cpu")


def train(training: Training) -> dict[str, Any]:
    """Run one training; its curves, and whether it diverged."""
    trainer = trainer_of(training)
    ended = None
    try:
        trainer.fit()
    except LossDivergedError as error:
        ended = error.divergence.numbers
    return {
        "training": asdict(training),
        "diverged": ended,
        "curves": [asdict(epoch) for epoch in trainer.history.epochs],
        "chance": trainer.chance_loss(),
        "steps": trainer.steps_per_epoch,
        "weights_per_image": sum(w.numel() for w in trainer.model.parameters()) / training.images,
    }


def trainer_of(training: Training, kind: Callable[..., Trainer] = Trainer) -> Trainer:
    """A trainer of what the training says, judged on images of its own."""
    images, targets = images_of(training.task, 1000 + _VAL, training.seed)
    params, classes = section(training), int(targets.max()) + 1
    rows, held_out = np.arange(training.images), np.arange(1000, 1000 + _VAL)
    pixels = Pixels([images], images.shape[1:])
    mean, std = images[rows].mean((0, 1, 2)), images[rows].std((0, 1, 2))
    seen = torch.from_numpy(images[rows[:64]])
    model = fresh(params, classes=classes, mean=mean, std=std, seed=training.seed, images=seen)
    return kind(
        model,
        params,
        Feed(pixels, rows, targets[rows], _CPU),
        Feed(pixels, held_out, targets[held_out], _CPU),
        classes=classes,
        positive=1 if classes == 2 else None,
        device=_CPU,
    )


def section(training: Training) -> TrainParams:
    """params.yaml's train section, made small, with what the training changes."""
    document = params_document()["train"]
    small = {
        "batch_size": 32,
        "sampler": {"max_per_class": None},
        "early_stopping": None,
        "precision": "float32",
        "threads": 1,
        "model": {"dropout": {"input": 0.0, "hidden": 0.0}},
        "batch_augment": {"rotate90": False},
        "schedule": training.schedule,
    }
    for changes in (small, training.changes):
        _merge(document, changes)
    return parse(TrainParams, document)


def _merge(document: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(document[key], dict) and key != "schedule":
            _merge(document[key], value)
        else:
            document[key] = value


def confusion(rows: list[dict[str, Any]]) -> Counter:
    """How often each (cause, diagnosis) occurs."""
    found = Counter()
    for row in rows:
        said = diagnose(
            [Epoch(**epoch) for epoch in row["curves"]],
            chance=row["chance"],
            steps_per_epoch=row["steps"],
            weights_per_image=row["weights_per_image"],
            divergence=row["diverged"] and Divergence(**row["diverged"]),
        )
        found[row["training"]["cause"], said.cause] += 1
    return found


def _print(found: Counter) -> None:
    titles = [outcome.title for outcome in OUTCOMES.values()]
    table = Table("made to be", *titles, title="what the diagnosis says")
    for cause in CAUSES:
        table.add_row(OUTCOMES[cause].title, *(str(found[cause, said] or "") for said in OUTCOMES))
    console = Console()
    console.width = max(console.width, 130)
    console.print(table)
    right, everything = sum(found[cause, cause] for cause in CAUSES), found.total()
    interval = wilson(right, everything, confidence=0.95)
    share = right / everything
    console.print(
        f"{right} of {everything} right: {share:.3f} [{interval[0]:.3f}-{interval[1]:.3f}]"
    )


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.diagnosis")
    parser.add_argument("--rules", action="store_true", help="the trainings the rules were set on")
    parser.add_argument("--json", type=Path, help="write every training's curves")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    planned = list(trainings(**(RULES if asked.rules else UNSEEN)))
    shown = track(planned, total=len(planned), description="runs", images=lambda one: one.images)
    rows = [train(training) for training in shown]
    if asked.json:
        asked.json.write_text(json.dumps(rows))
    _print(confusion(rows))


if __name__ == "__main__":
    main()
