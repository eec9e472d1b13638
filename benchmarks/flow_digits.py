"""The stage's flow on scikit-learn's digits, for :mod:`benchmarks.enlarging`."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

STEPS, LABEL = 1500, "rare"


class _Images(np.ndarray):
    """As those of a dataset are taken by rows."""

    def take(self, rows: np.ndarray) -> np.ndarray:  # type: ignore[override]
        return np.asarray(self)[rows]


@dataclass(frozen=True, kw_only=True)
class _Digits:
    """What a flow asks of a dataset, of 8 x 8 digits of one class without masks."""

    images: _Images
    masks: None = None
    classes: tuple[str, ...] = (LABEL,)
    image_shape: tuple[int, int, int] = (8, 8, 1)

    @property
    def targets(self) -> np.ndarray:
        return np.zeros(len(self.images), np.int64)


def flow(images: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """``count`` digits, float (count, 64) in [0, 1], by a U-Net that is fitted on ``images``, float
    (n, 64), alone, which are shifted by at most a pixel."""
    import torch

    from raresight.pipeline.enlarging.flow import drawing
    from raresight.pipeline.enlarging.flow.fitting import FlowTrainer
    from raresight.pipeline.enlarging.flow.images import Learned
    from raresight.pipeline.enlarging.methods import Flow
    from raresight.pipeline.models import device
    from raresight.pipeline.training.params import TrainParams
    from raresight.pipeline.training.params.batches import BatchAugmentParams

    where, seed = torch.device("cpu"), int(draw.integers(0, 2**31))
    device.prepare(where, 1)
    pixels = np.rint(images.reshape(-1, 8, 8, 1) * 255).astype(np.uint8).view(_Images)
    rows = {LABEL: np.arange(len(pixels))}
    learned = Learned(
        data=cast(Any, _Digits(images=pixels)), rows=rows, others=np.empty(0, int), masked=False
    )
    trainer = FlowTrainer(
        learned,
        Flow(size="tiny", steps=STEPS),
        TrainParams(batch_augment=BatchAugmentParams(shift=1)),
        seed=seed,
        device=where,
    )
    net, names = trainer.fit(), [str(number) for number in range(count)]
    made = np.concatenate(list(drawing.draw(trainer, net, 0, names, seed=seed)))
    found: np.ndarray = made.reshape(count, 64).astype(np.float32) / 255
    return found
