"""Batch normalization over the whole batch where several processes share it.

torch's own SyncBatchNorm runs on GPUs alone; with this one two CPU processes compute what one does.
"""

from typing import Any

import torch
from torch import Tensor, distributed, nn

from raresight.pipeline.models.surgery import replace_modules


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; gradients are summed likewise.

    torch has this as a private function or a deprecated one.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _sum(gradients[0])


def _sum(values: Tensor) -> Tensor:
    return _Sum.apply(values)


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """``norm`` with mean and variance of every process's images; its weights stay the same."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.BatchNorm2d):
        momentum = norm.momentum
        if momentum is None or norm.running_mean is None or not norm.affine:
            raise ValueError(f"{norm} has no running mean, momentum or weights to go by")
        super().__init__(norm.num_features, norm.eps, momentum, norm.affine)
        self.rate = momentum
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            setattr(self, name, buffer)

    def forward(self, x: Tensor) -> Tensor:
        """``x`` is (n, C, H, W); n may differ between the processes."""
        if not self.training:
            return super().forward(x)
        x = x.float()
        count = torch.tensor(float(x.numel() / x.shape[1]), device=x.device)
        distributed.all_reduce(count)
        mean = _sum(x.sum((0, 2, 3))) / count
        centered = x - mean.view(1, -1, 1, 1)
        variance = _sum(centered.square().sum((0, 2, 3))) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centered * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.rate)
        self.running_var.lerp_(variance, self.rate)


def synchronize(model: nn.Module) -> None:
    """Make every batch norm of ``model`` one over all processes' images, in place."""
    replace_modules(
        model, lambda norm: SyncedBatchNorm2d(norm) if isinstance(norm, nn.BatchNorm2d) else None
    )
