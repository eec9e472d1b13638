"""How far a model's weights moved, and putting kept ones back as they lay in memory."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

Value = TypeVar("Value")


def copies(weights: Iterable[Tensor]) -> list[Tensor]:
    """What the weights are now."""
    return [weight.detach().clone() for weight in weights]


def relative_change(weights: Iterable[Tensor], before: Sequence[Tensor]) -> float:
    """The norm of what the weights moved by since ``before``, over the norm that they had."""
    now = [weight.detach() for weight in weights]
    moved = torch.nn.utils.get_total_norm(torch._foreach_sub(now, list(before)))
    return float(moved / torch.nn.utils.get_total_norm(before))


def laid_out_as(weight: Tensor, value: Value) -> Value | Tensor:
    """``value`` laid out in memory as ``weight`` is: the order of a sum decides its last bits."""
    if not isinstance(value, Tensor) or value.shape != weight.shape:
        return value
    return torch.empty_like(weight, requires_grad=False).copy_(value)
