"""Short real trainings whose outcome is made: what went wrong in each is known.

Five tasks of 16 x 16 pixels, each trained in ways that must converge, overfit, and so on: a cause
is set by construction (a rate a thousandth of the right one, forty images, two channels), never
read off the curves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

SIDE = 16
TASKS = ("squares", "stripes", "digits", "dots", "letters")
CAUSES = (
    "converged",
    "overfitting",
    "underfitting",
    "diverged",
    "learning_rate_too_high",
    "learning_rate_too_low",
    "not_converged",
    "learning_rate_decayed_too_early",
)

_SYMMETRIC = ("squares", "stripes", "dots")  # a mirrored image is of the same class
SCHEDULES = {
    "cut after epoch 4": {
        "name": "multi_step",
        "interval": "epoch",
        "warmup": None,
        "milestones": [4],
        "factor": 0.01,
    },
    "constant": {"name": "constant", "interval": "step", "warmup": None},
    "cosine": {
        "name": "cosine",
        "interval": "step",
        "warmup": None,
        "min_lr_ratio": 0.01,
        "num_restarts": 0,
        "t_mult": 1,
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
    schedule = SCHEDULES[str(rng.choice(["cosine", "constant"]))]
    images, epochs, width, flip = 1000, int(rng.integers(16, 31)), 8, task in _SYMMETRIC
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
        case "learning_rate_too_high":
            optimizer["learning_rate"] *= rng.uniform(30, 100)
        case "learning_rate_too_low":
            optimizer["learning_rate"] /= rng.uniform(200, 1000)
        case "learning_rate_decayed_too_early":  # to a hundredth while it still learns
            images = 320 if task == "digits" else 1000
            epochs = 4 + int(rng.integers(3, 7))
            optimizer["learning_rate"] /= rng.uniform(6, 10) if task == "digits" else 1
            schedule = SCHEDULES["cut after epoch 4"]
        case "not_converged":
            images, epochs = 320, int(rng.integers(1, 4))  # ten steps an epoch
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


def _dots(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One, two or three dark dots, apart from each other, on a bright noisy ground."""
    targets = rng.integers(0, 3, count)
    images = rng.integers(120, 256, (count, SIDE, SIDE, 3))
    corners = [(y, x) for y in (0, 5, 10) for x in (0, 5, 10)]
    for image, target in zip(images, targets, strict=True):
        for cell in rng.permutation(9)[: target + 1]:
            y, x = np.add(corners[cell], rng.integers(0, 3, 2))
            image[y : y + 3, x : x + 3] -= 90
    return images.clip(0, 255).astype(np.uint8), targets


def _letters(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Five letters in any colour, a little turned and moved, in noise."""
    import cv2

    targets = rng.integers(0, 5, count)
    images = rng.integers(0, 90, (count, SIDE, SIDE, 3), np.uint8)
    for image, target in zip(images, targets, strict=True):
        ink = np.zeros((SIDE, SIDE), np.uint8)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(ink, "AEHKX"[target], (2, 13), font, 0.5, 255, 1, cv2.LINE_AA)
        turn = cv2.getRotationMatrix2D((8, 8), rng.uniform(-20, 20), rng.uniform(0.8, 1.1))
        turn[:, 2] += rng.uniform(-2, 2, 2)
        share = cv2.warpAffine(ink, turn, (SIDE, SIDE))[..., None] / 255
        image[:] = image * (1 - share) + rng.integers(100, 256, 3) * share
    return images, targets


def _digits(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's real digits, 8 x 8 made 16 x 16."""
    from sklearn.datasets import load_digits

    data = load_digits()
    rows = rng.permutation(len(data.target))[:count]
    pixels = np.kron(data.images[rows], np.ones((2, 2))) * 15
    return np.repeat(pixels.astype(np.uint8)[..., None], 3, 3), data.target[rows].astype(np.int64)


_DRAW = {
    "squares": _squares,
    "stripes": _stripes,
    "digits": _digits,
    "dots": _dots,
    "letters": _letters,
}
