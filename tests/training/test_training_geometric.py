"""Moving pixels: numpy's padding, flips and transposition, by the compiled loops and by torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_training import DEVICES

from raresight.pipeline.training.data.geometric import gather, move

MOVES = st.tuples(*[st.integers(-4, 4)] * 2, *[st.integers(0, 1)] * 3)


def by_hand(image, down, right, flip_down, flip_right, transpose):
    height, width, _ = image.shape
    image = image[::-1] if flip_down else image
    image = image[:, ::-1] if flip_right else image
    padded = np.pad(image, ((4, 4), (4, 4), (0, 0)), mode="reflect")
    window = padded[4 + down : 4 + down + height, 4 + right : 4 + right + width]
    return window.transpose(1, 0, 2) if transpose and height == width else window


@pytest.mark.parametrize("way", [move, gather])
@pytest.mark.parametrize("shape", [(6, 6), (5, 7)])
@given(moves=st.lists(MOVES, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_pixels_are_moved_as_numpy_moves_them(way, shape, moves):
    rng = np.random.Generator(np.random.PCG64(1))
    images = rng.integers(0, 256, (len(moves), *shape, 3), np.uint8)
    expected = [by_hand(image, *one) for image, one in zip(images, moves, strict=True)]
    found = way(torch.from_numpy(images), torch.tensor(moves))
    assert (found.numpy() == np.stack(expected)).all()


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_moves_pixels_alike(device):
    rng = torch.Generator().manual_seed(1)
    images = torch.randint(256, (64, 12, 12, 3), generator=rng, dtype=torch.uint8)
    moves = torch.randint(-4, 5, (64, 5), generator=rng)
    moves[:, 2:] %= 2
    found = move(images.to(device), moves.to(device))
    assert torch.equal(found.cpu(), gather(images, moves))


def test_images_that_lie_otherwise_in_memory_are_moved_the_same():
    images = torch.arange(2 * 4 * 4 * 3, dtype=torch.uint8).view(2, 4, 4, 3)
    moves = torch.tensor([[1, -1, 0, 1, 1], [0, 2, 1, 0, 0]])
    elsewhere = images.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    assert not elsewhere.is_contiguous()
    assert (move(elsewhere, moves) == move(images, moves)).all()
