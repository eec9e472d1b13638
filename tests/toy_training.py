"""Training small enough for a test: the shipped params made tiny, and images a child could tell."""

import copy
from typing import Any

import numpy as np
import torch
from full_params import full_params

from raresight.pipeline.core.params import parse
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.models import device as devices
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.initialization import fresh
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams

SHIPPED = full_params()["train"]
CHANGES = {
    "model": {"width": 4, "blocks": [1]},
    "epochs": 6,
    "batch_size": 32,
    "sampler": {"max_per_class": None},
    "batch_augment": {"shift": 1},
    "optimizer": {"learning_rate": 0.01},
    "regularization": {"weight_decay": 0.01},
    "early_stopping": None,
    "precision": "float32",
    "threads": 1,
}
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def train_params(**changes: Any) -> TrainParams:
    """The shipped ``train`` section, made tiny.

    A dict among the changes is merged into its group; with a name, it takes the group's place.
    """
    document = copy.deepcopy(SHIPPED)
    for layer in (CHANGES, changes):
        for key, value in layer.items():
            merge = isinstance(value, dict) and "name" not in value
            document[key] = {**document[key], **value} if merge and document[key] else value
    return parse(TrainParams, document)


def toy(count: int, seed: int, share: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    """Noise; a bright 4 x 4 square somewhere makes the positive class."""
    rng = np.random.Generator(np.random.PCG64(seed))
    images = rng.integers(0, 120, (count, 16, 16, 3), np.uint8)
    targets = (rng.random(count) < share).astype(np.int64)
    for k in np.flatnonzero(targets):
        y, x = rng.integers(0, 13, 2)
        images[k, y : y + 4, x : x + 4] = 220
    return images, targets


def trainer(device: str = "cpu", kind: type[Trainer] = Trainer, **changes: Any) -> Trainer:
    """A trainer on 400 toy images, judged on 200 others."""
    params = train_params(**changes)
    where = devices.resolve(device)
    torch.set_num_threads(1)
    feeds = []
    for count, seed in ((400, 1), (200, 2)):
        images, targets = toy(count, seed)
        pixels = Pixels(np.array_split(images, 8), images.shape[1:])
        feeds.append(Feed(pixels, np.arange(count), targets, where))
    seen = feeds[0].images(np.arange(64))
    model = fresh(params, classes=2, mean=[60] * 3, std=[40] * 3, seed=5, images=seen)
    return kind(model, params, *feeds, classes=2, positive=1, device=where)
