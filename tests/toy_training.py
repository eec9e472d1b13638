"""A training of a second: bright squares in noise, and a net that can learn to find them."""

import numpy as np
import torch

from pipeline.dataset.reader import Pixels
from pipeline.training import device as devices
from pipeline.training.feed import Feed
from pipeline.training.loop import Trainer
from pipeline.training.models import build
from pipeline.training.params import TrainParams

PARAMS = {
    "seed": 1,
    "model": {"name": "small_resnet", "width": 4, "blocks": [1], "dropout": 0.1},
    "epochs": 6,
    "batch_size": 32,
    "max_per_class": None,
    "optimizer": {"name": "adamw", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.01},
    "schedule": {"name": "cosine", "warmup_epochs": 1.0, "final_share": 0.01},
    "loss": {"name": "logit_adjusted", "label_smoothing": 0.0},
    "batch_augment": {"flip": True, "rotate90": True, "shift": 1},
    "gradient_clip": 1.0,
    "early_stopping": None,
    "precision": "float32",
    "threads": 1,
}
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def toy(count, seed, share=0.15):
    """Noise; a bright 4 x 4 square somewhere makes the positive class."""
    rng = np.random.Generator(np.random.PCG64(seed))
    images = rng.integers(0, 120, (count, 16, 16, 3), np.uint8)
    targets = (rng.random(count) < share).astype(np.int64)
    for k in np.flatnonzero(targets):
        y, x = rng.integers(0, 13, 2)
        images[k, y : y + 4, x : x + 4] = 220
    return images, targets


def trainer(device="cpu", **changes):
    params = TrainParams.model_validate({**PARAMS, **changes})
    where = devices.resolve(device)
    torch.set_num_threads(1)
    feeds = []
    for count, seed in ((400, 1), (200, 2)):
        images, targets = toy(count, seed)
        pixels = Pixels([images], images.shape[1:])
        feeds.append(Feed(pixels, np.arange(count), targets, where))
    model = build(params.model, classes=2, mean=[60] * 3, std=[40] * 3, seed=5)
    return Trainer(model, params, *feeds, classes=2, positive=1, device=where)
