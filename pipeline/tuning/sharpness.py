"""The sharpness of the loss, and the largest rate at which gradient descent is stable there."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def largest_stable_rate(sharpness: float) -> float | None:
    """2 / sharpness; None where nothing bends upwards (any rate goes downhill).

    On a quadratic with curvature c a step of rate r multiplies the distance to the minimum by
    1 - r c, which shrinks it only for r < 2 / c.
    """
    return 2 / sharpness if sharpness > 0 else None


def sharpness(
    loss: Callable[[], Tensor],
    weights: Sequence[Tensor],
    *,
    seed: int,
    iterations: int = 50,
    tolerance: float = 0.01,
) -> float:
    """The largest eigenvalue of the Hessian of ``loss`` with respect to ``weights``.

    Power iteration on Hessian-vector products (Pearlmutter 1994), until the estimate moves by less
    than ``tolerance`` of itself. It finds the eigenvalue of the largest size; where that one is
    negative, a second iteration on the Hessian less it finds the largest.
    """
    gradients = torch.autograd.grad(loss(), weights, create_graph=True)

    def hessian_times(vector: list[Tensor]) -> list[Tensor]:
        return list(torch.autograd.grad(gradients, weights, vector, retain_graph=True))

    found = _dominant(hessian_times, weights, seed, iterations, tolerance)
    if found >= 0:
        return found

    def shifted(vector: list[Tensor]) -> list[Tensor]:
        moved = torch._foreach_mul(vector, found)
        return list(torch._foreach_sub(hessian_times(vector), moved))

    return found + _dominant(shifted, weights, seed, iterations, tolerance)


def _dominant(
    matrix: Callable[[list[Tensor]], list[Tensor]],
    weights: Sequence[Tensor],
    seed: int,
    iterations: int,
    tolerance: float,
) -> float:
    """The eigenvalue of the largest size of a symmetric matrix."""
    generator = torch.Generator().manual_seed(seed)
    vector = [torch.randn(w.shape, generator=generator).to(w) for w in weights]
    value = 0.0
    for _ in range(iterations):
        vector = list(torch._foreach_div(vector, _norm(vector)))
        image = matrix(vector)
        before, value = value, float(sum((v * i).sum() for v, i in zip(vector, image, strict=True)))
        if not _norm(image) or abs(value - before) < tolerance * abs(value):
            break
        vector = image
    return value


def _norm(vector: Sequence[Tensor]) -> float:
    return float(torch.nn.utils.get_total_norm(vector))
