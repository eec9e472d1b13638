"""The images that a flow learns from: which, with their masks, and in which batches."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from raresight.pipeline.core import seeds
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.enlarging.flow.network import Packing
from raresight.pipeline.enlarging.wanted import Wanted
from raresight.pipeline.models.device import upload
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.training.data.augment import BatchAugment
from raresight.pipeline.training.params.batches import BatchAugmentParams

_ON = np.uint8(255)  # a labelled pixel, as a channel beside the colors


@dataclass(frozen=True, kw_only=True)
class Learned:
    """``rows`` of ``data`` for each class that is asked for, and ``others``, rows of every other
    class, empty where nothing is learned from them. ``masked``: with the mask as a channel."""

    data: Dataset
    rows: dict[str, np.ndarray]
    others: np.ndarray
    masked: bool

    @property
    def every(self) -> np.ndarray:
        """All rows that are learned from, ascending."""
        return np.sort(np.concatenate((*self.rows.values(), self.others)))

    def packing(self, levels: int) -> Packing:
        height, width, channels = self.data.image_shape
        return Packing(height=height, width=width, channels=channels + self.masked, levels=levels)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Their pixels, and the mask as a last channel: uint8 (n, H, W, C)."""
        images, masks = self.data.images.take(rows), self.data.masks
        if not self.masked or masks is None:
            return images
        empty = np.zeros(images.shape[1:3], np.uint8)
        drawn = [masks[row] for row in rows.tolist()]
        channel = np.stack([empty if one is None else (one > 0) * _ON for one in drawn])
        return np.concatenate((images, channel[..., None]), axis=-1)


def learned(wanted: Wanted, *, all_classes: bool) -> Learned:
    """What is learned from for ``wanted``. Where some images of a class have masks, it is from
    those alone. DataError where a class has fewer than two."""
    data, rows, masked = wanted.data, {}, False
    for label in wanted.classes:
        mine, labelled = wanted.of(label), wanted.masked(label)
        if len(labelled):
            mine, masked = labelled, True
        if len(mine) < 2:
            raise DataError(
                f"enlarge.method 'flow' learns from the training images of '{label}', and there "
                f"are {len(mine)} of them in {data.folder}; 2 are the least."
            )
        rows[label] = mine
    asked = np.isin(data.labels[wanted.rows], list(wanted.classes))
    others = wanted.rows[~asked] if all_classes else wanted.rows[:0]
    return Learned(data=data, rows=rows, others=others, masked=masked)


class Batches:
    """The batch of each step, a function of seed and step alone: classes that are asked for alike,
    and, where others are learned from, as many of those; moved as the classifier's images are."""

    def __init__(self, images: Learned, moves: BatchAugmentParams, *, size: int, seed: int):
        exact = BatchAugmentParams(flip=moves.flip, rotate90=moves.rotate90, shift=moves.shift)
        self.images, self.size, self.seed = images, size, seed
        self.augment = BatchAugment(exact, seed=seed)

    def __call__(self, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Pixels uint8 (n, H, W, C), and classes int64 (n,)."""
        draw, groups = seeds.rng(self.seed, "flow batch", step), [*self.images.rows.values()]
        half = self.size - self.size // 2 if len(self.images.others) else self.size
        # Class by class in turn, so that none is left out of many small batches.
        which = (np.arange(half) + step * half) % len(groups)
        rows = np.array([draw.choice(groups[one]) for one in which.tolist()])
        if len(self.images.others):
            rows = np.concatenate((rows, draw.choice(self.images.others, self.size - half)))
        pixels = upload(self.images.take(rows), device)
        moved = self.augment(pixels, np.arange(len(rows)), step)
        return moved, upload(self.images.data.targets[rows], device)
