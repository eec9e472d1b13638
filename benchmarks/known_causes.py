"""Short real trainings whose outcome is made: what went wrong in each is known.

Four tasks of 16 x 16 pixels, each trained in ways that must converge, overfit, and so on: a cause
is set by construction (a rate a thousandth of the right one, forty images, two channels), never
read off the curves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

SIDE = 16
TASKS = ("squares", "stripes", "shapes", "digits")
CAUSES = (
    "converged",
    "overfitting",
    "underfitting",
    "diverged",
    "rate too high",
    "rate too low",
    "not finished",
)

_SCHEDULES = {
    "constant": {"name": "constant", "by": "step", "warmup": None},
    "cosine": {
        "name": "cosine",
        "by": "step",
        "warmup": None,
        "final_share": 0.01,
        "restarts": 0,
        "stretch": 1,
    },
}


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training: its task, the cause that it was built to show, and its knobs."""

    task: str
    cause: str
    seed: int
    images: int
    schedule: Mapping[str, Any]
    changes: Mapping[str, Any] = field(default_factory=dict)


def trainings(tasks: tuple[str, ...], seeds: tuple[int, ...]) -> Iterator[Training]:
    """Every cause on every task with every seed."""
    for seed in seeds:
        for task in tasks:
            for cause in CAUSES:
                yield _built(task, cause, seed)


def _built(task: str, cause: str, seed: int) -> Training:
    """``seed`` also decides optimiser and schedule, so that no cause goes with one of them."""
    rng = np.random.Generator(np.random.PCG64([seed, TASKS.index(task), CAUSES.index(cause)]))
    name = str(rng.choice(["adamw", "sgd"]))
    right = {"adamw": 3e-3, "sgd": 5e-2}[name]
    optimizer = {"name": name, "learning_rate": right * rng.uniform(0.7, 1.4)}
    schedule = _SCHEDULES[str(rng.choice(["cosine", "constant"]))]
    images, epochs, width, flip = 1000, int(rng.integers(16, 31)), 8, task != "digits"
    blocks = [1, 1]
    changes: dict[str, Any] = {}
    match cause:
        case "overfitting":
            images, epochs, width, flip = int(rng.integers(40, 151)), 40, 16, False
        case "underfitting":
            width, blocks = 1, [1]
        case "diverged":
            optimizer["learning_rate"] = 10.0
            changes["gradient_clip"] = None
        case "rate too high":
            optimizer["learning_rate"] *= rng.uniform(30, 100)
        case "rate too low":
            optimizer["learning_rate"] /= rng.uniform(200, 1000)
        case "not finished":
            epochs = int(rng.integers(2, 5))
    changes |= {
        "seed": seed,
        "epochs": epochs,
        "optimizer": optimizer,
        "model": {"width": width, "blocks": blocks},
        "batch_augment": {"flip": "both" if flip else "none", "shift": 1 if flip else 0},
    }
    return Training(
        task=task, cause=cause, seed=seed, images=images, schedule=schedule, changes=changes
    )


@cache
def images_of(task: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` images, uint8 (n, 16, 16, 3), and their classes, int64 (n,)."""
    rng = np.random.Generator(np.random.PCG64([count, seed]))
    return _DRAW[task](count, rng)


def _squares(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One of four images hides a bright square in noise; the others a cross, as bright in all."""
    images = rng.integers(0, 130, (count, SIDE, SIDE, 3))
    targets = (rng.random(count) < 0.25).astype(np.int64)
    square = np.full((3, 3, 1), 70)
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])[..., None] * 126
    for k, target in enumerate(targets):
        y, x = rng.integers(0, SIDE - 3, 2)
        images[k, y : y + 3, x : x + 3] += square if target else cross
    return images.clip(0, 255).astype(np.uint8), targets


def _stripes(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noisy gratings of two widths: the width is the class, whichever way they run."""
    targets = rng.integers(0, 3, count)
    y, x = np.mgrid[:SIDE, :SIDE]
    angle, phase = rng.uniform(0, np.pi, (count, 1, 1)), rng.uniform(0, 6.3, (count, 1, 1))
    waves = np.array([0.9, 1.2, 1.5])[targets][:, None, None]
    pattern = np.sin(waves * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    noisy = 128 + 30 * pattern + rng.normal(0, 40, (count, SIDE, SIDE))
    return np.repeat(noisy.clip(0, 255).astype(np.uint8)[..., None], 3, 3), targets


def _shapes(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Raresight's own drawn shapes, three classes."""
    from generators.base import Record
    from generators.shapes import Shapes

    classes = ("circle", "square", "triangle")
    generator = Shapes(Shapes.options(classes=classes), SIDE)
    targets = rng.integers(0, 3, count)
    images = [
        generator.sample(Record(id=str(k), label=classes[target]), rng).image
        for k, target in enumerate(targets)
    ]
    return np.stack(images), targets


def _digits(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's real digits, 8 x 8 made 16 x 16."""
    from sklearn.datasets import load_digits

    data = load_digits()
    rows = rng.permutation(len(data.target))[:count]
    pixels = np.kron(data.images[rows], np.ones((2, 2))) * 15
    return np.repeat(pixels.astype(np.uint8)[..., None], 3, 3), data.target[rows].astype(np.int64)


_DRAW = {"squares": _squares, "stripes": _stripes, "shapes": _shapes, "digits": _digits}
