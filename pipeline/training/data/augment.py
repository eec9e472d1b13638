"""Augmentation of whole batches on the device, a pure function of (seed, epoch, sample index).

Nothing depends on which samples share a batch, or on the order they come in.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from raresight.pipeline.core import seeds
from raresight.pipeline.models.device import upload
from raresight.pipeline.training.data.geometric import move
from raresight.pipeline.training.params.batches import BatchAugmentParams

_ERASED = (0.02, 0.33)  # of the area (Zhong et al. 2020)
_RATIO = (0.3, 1 / 0.3)  # of the sides
_GRAY = (0.299, 0.587, 0.114)  # ITU-R 601, as torchvision and Pillow
_EXACT, _AFFINE, _COLOR, _ERASING = slice(0, 5), slice(5, 9), slice(9, 12), slice(12, 17)


class BatchAugment:
    """Flips, quarter turns and whole-pixel shifts, which move pixels and change none; then, where
    asked for, crops and rotations, which interpolate, color, and erasing.
    """

    def __init__(self, params: BatchAugmentParams, *, seed: int):
        self.params, self.seed = params, seed

    def __call__(self, images: Tensor, index: np.ndarray, epoch: int) -> Tensor:
        """``images`` is uint8 (n, H, W, 3), ``index`` (n,) the samples' indices.

        Returns the same shape: uint8 while pixels are only moved, else float32 in [0, 255].
        """
        params = self.params
        drawn = seeds.uniforms(self.seed, f"batch augment {epoch}", index, _ERASING.stop)
        u = upload(drawn, images.device)
        images = move(images, self._moves(u[:, _EXACT]))
        if params.crop < 1 or params.rotation:
            images = affine(images.float(), u[:, _AFFINE], params)
        if params.brightness or params.contrast or params.saturation:
            images = color(images.float(), u[:, _COLOR], params)
        if params.erasing:
            images = erase(images.float(), u[:, _ERASING], params.erasing)
        return images

    def _moves(self, u: Tensor) -> Tensor:
        """int64 (n, 5): shift down and right, flip down and right, transpose."""
        shift, flip = self.params.shift, self.params.flip
        moves = torch.empty(u.shape, dtype=torch.int64, device=u.device)
        moves[:, :2] = torch.floor(u[:, :2] * (2 * shift + 1)) - shift
        moves[:, 2:] = u[:, 2:] < 0.5
        if self.params.rotate90:
            if flip == "none":  # the four rotations: an even number of mirrorings
                moves[:, 3] = moves[:, 2] ^ moves[:, 4]
            return moves
        moves[:, 2] *= flip in ("vertical", "both")
        moves[:, 3] *= flip in ("horizontal", "both")
        moves[:, 4] = 0
        return moves


def affine(images: Tensor, u: Tensor, params: BatchAugmentParams) -> Tensor:
    """Crop a window of at least ``crop`` of the side, somewhere inside, and rotate it.

    Bilinear; what lies outside mirrors what is inside.
    """
    scale = params.crop + (1 - params.crop) * u[:, 0]
    shift = (2 * u[:, 1:3] - 1) * (1 - scale)[:, None]
    angle = torch.deg2rad((2 * u[:, 3] - 1) * params.rotation)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    # The grid counts height and width from -1 to 1 alike, whatever they are in pixels.
    tall = images.shape[1] / images.shape[2]
    rows = torch.stack((cos, -sin * tall, shift[:, 0], sin / tall, cos, shift[:, 1]), dim=1).view(
        -1, 2, 3
    )
    pixels = images.permute(0, 3, 1, 2)
    grid = functional.affine_grid(rows.float(), list(pixels.shape), align_corners=False)
    moved = functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    return moved.permute(0, 2, 3, 1)


def color(images: Tensor, u: Tensor, params: BatchAugmentParams) -> Tensor:
    """Scale brightness, contrast and saturation, each by a factor within its range around 1."""
    strength = torch.tensor(
        (params.brightness, params.contrast, params.saturation), device=u.device
    )
    factors = (1 + (2 * u - 1) * strength).float()[:, :, None, None, None]
    images = (images * factors[:, 0]).clamp(0, 255)
    mean = _gray(images).mean((1, 2, 3), keepdim=True)
    images = (mean + factors[:, 1] * (images - mean)).clamp(0, 255)
    gray = _gray(images)
    return (gray + factors[:, 2] * (images - gray)).clamp(0, 255)


def _gray(images: Tensor) -> Tensor:
    return (images * torch.tensor(_GRAY, device=images.device)).sum(3, keepdim=True)


def erase(images: Tensor, u: Tensor, chance: float) -> Tensor:
    """Fill a box with the image's mean colour, in a share ``chance`` of the images.

    A box that reaches over the border is cut off there.
    """
    area = _ERASED[0] + (_ERASED[1] - _ERASED[0]) * u[:, 1]
    low, high = map(math.log, _RATIO)
    ratio = torch.exp(low + (high - low) * u[:, 2])
    sides = torch.stack((torch.sqrt(area * ratio), torch.sqrt(area / ratio)), dim=1)
    sides = torch.where(u[:, :1] < chance, sides, torch.zeros_like(sides))
    inside = []
    for axis, size in enumerate(images.shape[1:3]):
        place = (torch.arange(size, device=u.device) + 0.5) / size
        inside.append((place - u[:, 3 + axis, None]).abs() < sides[:, axis, None] / 2)
    box = (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
    return torch.where(box, images.mean((1, 2), keepdim=True), images)
