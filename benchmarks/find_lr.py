"""Whether the suggested learning rate does as well as the best one of a grid.

``python -m benchmarks.find_lr``: on three tasks, the validation average precision of a whole
training at the rate that the search suggests, beside those at seven rates two to a decade.
"""

import math
import sys
from functools import partial

import numpy as np
import torch

from benchmarks.diagnosis import trainer_of
from benchmarks.known_causes import SCHEDULES, Training
from pipeline.core.errors import DivergedError
from pipeline.tuning.range_test import RateTrainer, search

TASKS = {"squares": "adamw", "digits": "sgd", "dots": "adamw"}
GRIDS = {"adamw": np.geomspace(1e-4, 1e-1, 7), "sgd": np.geomspace(1e-3, 1.0, 7)}
_STEPS = 150


def training(task: str, optimizer: str, rate: float) -> Training:
    """Twelve epochs of a small net with a cosine schedule."""
    return Training(
        task=task,
        cause="converged",
        seed=31,
        images=1000,
        schedule=SCHEDULES["cosine"],
        changes={
            "seed": 31,
            "epochs": 12,
            "optimizer": {"name": optimizer, "learning_rate": rate},
            "model": {"width": 8, "blocks": [1, 1]},
            "batch_augment": {"flip": "none", "shift": 0},
        },
    )


def quality(task: str, optimizer: str, rate: float) -> float:
    """The best validation average precision; not a number where the training diverged."""
    try:
        return trainer_of(training(task, optimizer, rate)).fit().best.val_average_precision
    except DivergedError:
        return math.nan


def main() -> int:
    """Print a row a task; 1 when a suggestion is more than 10 % below the best of its grid."""
    torch.set_num_threads(1)
    missed = 0
    for task, optimizer in TASKS.items():
        base = training(task, optimizer, 1e-2)
        found = search(
            lambda rates, base=base: trainer_of(base, kind=partial(RateTrainer, rates=rates)),
            steps=_STEPS,
        )
        grid = {float(rate): quality(task, optimizer, rate) for rate in GRIDS[optimizer]}
        reached = quality(task, optimizer, found.suggestion)
        best = max(value for value in grid.values() if not math.isnan(value))
        missed += reached < 0.9 * best
        print(f"{task} ({optimizer}): suggested {found.suggestion:g}, AP {reached:.3f}; grid:")
        print("   ", ", ".join(f"{rate:.1e} {value:.3f}" for rate, value in grid.items()))
        print(f"    {reached / best:.2f} of the best", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
