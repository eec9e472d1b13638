"""Sharpness against curvatures that are known, and what it says about gradient descent."""

import pytest
import torch

from raresight.pipeline.tuning.sharpness import largest_stable_rate, sharpness


def quadratic(curvatures):
    """0.5 x' Q diag(curvatures) Q' x in a random orthogonal basis, and its weights."""
    size = len(curvatures)
    noise = torch.randn(size, size, generator=torch.Generator().manual_seed(3))
    basis = torch.linalg.qr(noise).Q.double()
    matrix = basis @ torch.diag(torch.tensor(curvatures, dtype=torch.float64)) @ basis.T
    x = torch.ones(size, dtype=torch.float64, requires_grad=True)
    return (lambda: 0.5 * x @ matrix @ x), x


@pytest.mark.parametrize(
    "curvatures", [[5.0, 1.0, 0.1], [2.0, 1.9, -0.5], [3.0, -8.0, 1.0]], ids=str
)
def test_it_is_the_largest_curvature_of_a_quadratic(curvatures):
    loss, x = quadratic(curvatures)
    found = sharpness(loss, [x], seed=1, iterations=500, tolerance=1e-6)
    assert found == pytest.approx(max(curvatures), rel=1e-3)


def test_a_net_has_the_sharpness_of_its_whole_hessian():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    y = torch.randn(20, 1, generator=generator, dtype=torch.float64)
    start = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((3, 4), (4, 1))
    ]

    def loss(first, second):
        return (torch.tanh(x @ first) @ second - y).square().mean()

    blocks = torch.autograd.functional.hessian(loss, tuple(start))
    hessian = torch.cat(
        [
            torch.cat([b.reshape(w.numel(), -1) for b in row], 1)
            for w, row in zip(start, blocks, strict=True)
        ]
    )
    expected = torch.linalg.eigvalsh(hessian)[-1].item()
    found = sharpness(lambda: loss(*start), start, seed=1, iterations=1000, tolerance=1e-7)
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("share", "converges"), [(0.995, True), (1.005, False)])
def test_descent_is_stable_below_the_rate_and_not_above(share, converges):
    """lr times sharpness = 1.99 shrinks every distance, 2.01 lets the sharpest grow."""
    loss, x = quadratic([4.0, 1.0])
    rate = share * largest_stable_rate(sharpness(loss, [x], seed=1, tolerance=1e-9))
    start = loss().item()
    for _ in range(2000):
        (gradient,) = torch.autograd.grad(loss(), [x])
        with torch.no_grad():
            x -= rate * gradient
    assert (loss().item() < start) == converges


def test_where_nothing_bends_upwards_every_rate_is_stable():
    assert largest_stable_rate(-1.0) is None
