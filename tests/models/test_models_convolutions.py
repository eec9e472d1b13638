"""Convolutions of tiny maps, also in bfloat16 and in memory that was used before."""

import pytest
import torch
from torch.nn import functional

from raresight.pipeline.models.convolutions import PaddedConv2d, pad_openly

# Side of the map, kernel, stride, and which columns of the kernel meet a pixel, worked out by hand.
CASES = [
    (1, 3, 2, [1]),
    (1, 3, 1, [1]),
    (2, 3, 3, [1, 2]),
    (2, 7, 4, [3, 4]),
    (4, 11, 1, [2, 3, 4, 5, 6, 7, 8]),
    (4, 3, 2, [0, 1, 2]),
    (5, 5, 1, [0, 1, 2, 3, 4]),
]


def leave_numbers_in_memory():
    """Freed blocks that the next allocations get."""
    del [torch.full((4**size,), float("nan")) for size in range(3, 11) for _ in range(3)][:]


def layer(kernel, stride):
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(16, 32, kernel, stride, kernel // 2)
    return PaddedConv2d(convolution).to(memory_format=torch.channels_last)


def maps(side):
    rng = torch.Generator().manual_seed(1)
    pixels = torch.randn(32, 16, side, side, generator=rng)
    return pixels.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("side", "kernel", "stride", "met"), CASES)
def test_weights_that_meet_no_pixel_have_no_gradient_in_bfloat16(side, kernel, stride, met):
    convolution = layer(kernel, stride)
    for _ in range(5):
        convolution.weight.grad = None
        leave_numbers_in_memory()
        with torch.autocast("cpu", torch.bfloat16):
            out = convolution(maps(side))
        leave_numbers_in_memory()
        out.float().square().sum().backward()
        seen = convolution.weight.grad.abs().amax((0, 1))
        assert torch.isfinite(seen).all()
        expected = [[y in met and x in met for x in range(kernel)] for y in range(kernel)]
        assert (seen > 0).tolist() == expected


@pytest.mark.parametrize(("side", "kernel", "stride", "met"), CASES)
def test_what_comes_out_is_torchs(side, kernel, stride, met):
    convolution, x = layer(kernel, stride), maps(side)
    weight, bias = convolution.weight, convolution.bias
    expected = functional.conv2d(x, weight, bias, stride, kernel // 2)
    torch.testing.assert_close(convolution(x), expected)


def test_every_convolution_that_pads_with_zeros_is_made_one_and_keeps_its_weights():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1),
        torch.nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        torch.nn.Conv2d(4, 4, 3, padding="same"),
    )
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    pad_openly(network)
    assert [type(part) is PaddedConv2d for part in network] == [True, False, False]
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, before[name])


def test_the_change_draws_nothing_and_a_convolution_used_twice_stays_one():
    shared = torch.nn.Conv2d(3, 3, 3, padding=1)
    network = torch.nn.Sequential(shared, torch.nn.Sequential(shared))
    before = torch.random.get_rng_state()
    pad_openly(network)
    assert torch.equal(before, torch.random.get_rng_state())
    assert type(network[0]) is PaddedConv2d
    assert network[0] is network[1][0]
    assert network[0].weight is shared.weight
