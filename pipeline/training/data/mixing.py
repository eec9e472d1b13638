"""Mixup and cutmix: each image with another one, a pure function of (seed, epoch, index).

The usual implementations pair the images of a batch; here a partner is drawn from the whole epoch,
so that neither the size of a batch nor the process that holds it changes what is mixed.
"""

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

from raresight.pipeline.core import seeds
from raresight.pipeline.models.device import upload
from raresight.pipeline.training.params.batches import MixingParams


class Mixing:
    """Blends (Zhang et al. 2018) or cuts and pastes (Yun et al. 2019) pairs of images."""

    def __init__(self, params: MixingParams, *, seed: int):
        self._params, self._seed = params, seed

    def partners(self, index: np.ndarray, order: np.ndarray, epoch: int) -> np.ndarray:
        """The sample that each of ``index`` (n,) is mixed with, drawn from the epoch's order."""
        return order[(self._draw(index, epoch)[:, 0] * len(order)).astype(np.int64)]

    def __call__(
        self, images: Tensor, others: Tensor, index: np.ndarray, epoch: int
    ) -> tuple[Tensor, np.ndarray]:
        """Float images (n, H, W, 3), and the share of each that is its own, float32 (n,)."""
        draws = self._draw(index, epoch)
        kept = betaincinv(self._params.alpha, self._params.alpha, draws[:, 1])
        if self._params.name == "mixup":
            kept = kept.astype(np.float32)
            share = upload(kept, images.device)[:, None, None, None]
            return share * images + (1 - share) * others, kept
        pasted = _boxes(draws[:, 2:], 1 - kept, (images.shape[1], images.shape[2]))
        mask = upload(pasted, images.device)
        mixed = torch.where(mask[..., None], others, images)
        return mixed, (1 - pasted.mean((1, 2))).astype(np.float32)

    def _draw(self, index: np.ndarray, epoch: int) -> np.ndarray:
        return seeds.uniforms(self._seed, f"mixing {epoch}", index, 4)


def _boxes(centers: np.ndarray, areas: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Masks bool (n, H, W) of boxes of the image's proportions, cut off at its border.

    ``centers`` (n, 2) and ``areas`` (n,) are shares of the image's sides and area.
    """
    inside = []
    for axis, size in enumerate(shape):
        half = np.sqrt(areas)[:, None] * size / 2
        middle = (np.arange(size) + 0.5)[None]
        inside.append(np.abs(middle - centers[:, axis, None] * size) < half)
    return inside[0][:, :, None] & inside[1][:, None, :]
