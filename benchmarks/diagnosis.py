"""How often the diagnosis names the cause of a training whose cause is known.

``python -m benchmarks.diagnosis [--rules] [--json FILE]``: the rules of the diagnosis were set on
the trainings that ``--rules`` runs; without it those run that no rule has seen, on other tasks and
with other seeds. One core, some minutes.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.inputs import params_document
from benchmarks.known_causes import Training, images_of, trainings
from pipeline.core.errors import DivergedError
from pipeline.core.params import parse
from pipeline.dataset.pixels import Pixels
from pipeline.training.feed import Feed
from pipeline.training.initialisation import fresh
from pipeline.training.loop import Trainer
from pipeline.training.params import TrainParams

RULES = {"tasks": ("squares", "stripes", "digits"), "seeds": (1, 2, 3, 4)}
UNSEEN = {"tasks": ("dots", "letters"), "seeds": (21, 22, 23, 24, 25)}
_VAL = 400
_CPU = torch.device("cpu")


def train(training: Training) -> dict[str, Any]:
    """Run one training; its curves, and whether it diverged."""
    trainer = _trainer(training)
    ended = None
    try:
        trainer.fit()
    except DivergedError as error:
        ended = str(error)
    return {
        "training": asdict(training),
        "diverged": ended,
        "curves": [asdict(epoch) for epoch in trainer.result.epochs],
        "chance": trainer.chance,
        "steps": trainer.steps_per_epoch,
    }


def _trainer(training: Training) -> Trainer:
    images, targets = images_of(training.task, 1000 + _VAL, training.seed)
    params, classes = section(training), int(targets.max()) + 1
    rows, held_out = np.arange(training.images), np.arange(1000, 1000 + _VAL)
    pixels = Pixels([images], images.shape[1:])
    mean, std = images[rows].mean((0, 1, 2)), images[rows].std((0, 1, 2))
    seen = torch.from_numpy(images[rows[:64]])
    model = fresh(params, classes=classes, mean=mean, std=std, seed=training.seed, images=seen)
    return Trainer(
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


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.diagnosis")
    parser.add_argument("--rules", action="store_true", help="the trainings the rules were set on")
    parser.add_argument("--json", type=Path, help="write every training's curves")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows, started = [], time.perf_counter()
    for training in trainings(**(RULES if asked.rules else UNSEEN)):
        rows.append(train(training))
        print(
            f"{len(rows)} {training.task} {training.cause} {time.perf_counter() - started:.0f} s",
            file=sys.stderr,
        )
    if asked.json:
        asked.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
