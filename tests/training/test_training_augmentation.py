"""Augmentation of batches: exact where pixels only move, torchvision's where they change."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raresight.pipeline.training.data.augment import BatchAugment, affine, color, erase
from raresight.pipeline.training.params import BatchAugmentParams

STILL = {
    **{"flip": "none", "rotate90": False, "shift": 0, "crop": 1.0, "rotation": 0.0},
    **{"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "erasing": 0.0},
}
ALL = {
    **{"flip": "both", "rotate90": True, "shift": 2, "crop": 0.7, "rotation": 30.0},
    **{"brightness": 0.3, "contrast": 0.3, "saturation": 0.3, "erasing": 0.5},
}


def noise(count, side=8):
    rng = np.random.Generator(np.random.PCG64(count))
    return rng.integers(0, 256, (count, side, side, 3), np.uint8)


def augment(images, index, *, epoch=0, **params):
    settings_ = {**STILL, "flip": "both", "rotate90": True} | params
    batch = BatchAugment(BatchAugmentParams(**settings_), seed=3)
    return batch(torch.from_numpy(images), np.asarray(index), epoch).numpy()


def symmetries(image):
    turned = [np.rot90(image, k) for k in range(4)]
    return [*turned, *(np.flip(one, 1) for one in turned)]


def test_flips_and_turns_give_all_eight_symmetries_and_nothing_else():
    image = noise(1)[0]
    found = augment(np.stack([image] * 64), range(64))
    seen = set()
    for one in found:
        matches = [k for k, other in enumerate(symmetries(image)) if (one == other).all()]
        assert len(matches) == 1
        seen.add(matches[0])
    assert seen == set(range(8))


def test_turns_without_flips_are_rotations():
    image = noise(1)[0]
    for one in augment(np.stack([image] * 64), range(64), flip="none"):
        assert any((one == np.rot90(image, k)).all() for k in range(4))


def test_a_shift_moves_the_image_and_mirrors_its_border():
    image = noise(1)[0]
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    windows = [padded[y : y + 8, x : x + 8] for y in range(5) for x in range(5)]
    for one in augment(np.stack([image] * 32), range(32), flip="none", rotate90=False, shift=2):
        assert any((one == window).all() for window in windows)


def flat_draws(count, columns, value=0.5):
    return torch.full((count, columns), value, dtype=torch.double)


def params_of(**changes):
    return BatchAugmentParams(**{**STILL, **changes})


@pytest.mark.parametrize("flip", ["horizontal", "vertical"])
def test_one_flip_is_that_flip_for_half_of_the_images(flip):
    image = noise(1)[0]
    mirrored = np.flip(image, 1 if flip == "horizontal" else 0)
    found = augment(np.stack([image] * 400), range(400), rotate90=False, flip=flip)
    same, other = ((found == one).all((1, 2, 3)) for one in (image, mirrored))
    assert (same ^ other).all()
    assert 140 < same.sum() < 260  # binomial: 200 +- 10


def test_nothing_asked_for_changes_nothing():
    images = noise(5)
    assert (augment(images, range(5), **STILL) == images).all()


@pytest.mark.parametrize("changes", [{}, {"flip": "both", "shift": 2}, ALL], ids=str)
@given(order=st.permutations(range(12)))
@settings(max_examples=8)
def test_augmentation_of_a_sample_does_not_depend_on_its_batch(changes, order):
    images = noise(12)
    together = augment(images, range(12), **changes)
    assert (augment(images[order], order, **changes) == together[order]).all()
    assert (augment(images[order[:5]], order[:5], **changes) == together[order[:5]]).all()


def test_every_epoch_and_seed_augments_anew():
    images = noise(12)
    one, two = (augment(images, range(12), epoch=epoch, **ALL) for epoch in (0, 1))
    assert not (one == two).all()
    other = BatchAugment(BatchAugmentParams(**ALL), seed=4)
    assert not (other(torch.from_numpy(images), np.arange(12), 0).numpy() == one).all()


def test_a_rotation_by_a_quarter_turn_is_that_of_numpy():
    images = torch.from_numpy(noise(3)).float()
    turned = affine(
        images, flat_draws(3, 4, 0.75), params_of(rotation=180.0)
    )  # half of 180 degrees
    quarter = torch.rot90(images, 1, (1, 2))
    assert torch.allclose(turned, quarter, atol=1e-2)


def test_a_crop_shows_the_window_enlarged():
    """Of a ramp, the middle half is a ramp of half the slope."""
    ramp = torch.arange(16.0).expand(1, 16, 16)[..., None].repeat(1, 1, 1, 3)
    u = torch.tensor([[0.0, 0.5, 0.5, 0.5]], dtype=torch.double)
    found = affine(ramp, u, params_of(crop=0.5))
    expected = 7.5 + (torch.arange(16) - 7.5) / 2
    assert torch.allclose(found[0, 3, :, 0], expected, atol=1e-4)


def test_a_crop_never_looks_outside():
    """Red lies outside of no window: of a picture with a red margin only crops within are seen."""
    positions = torch.stack(torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij"))
    images = positions.permute(1, 2, 0).expand(200, 16, 16, 2)
    images = torch.cat((images, torch.zeros(200, 16, 16, 1)), dim=3)
    u = torch.from_numpy(np.random.default_rng(1).random((200, 4)))
    found = affine(images, u, params_of(crop=0.5))[..., :2]
    assert found.min() >= 0
    assert found.max() <= 15
    steps = found[:, 1:, :, 0] - found[:, :-1, :, 0]
    assert (steps[:, 2:-2] > 0.49).all()  # never mirrored
    assert (steps[:, 2:-2] < 1.01).all()


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_colour_is_torchvisions(name):
    from raresight.pipeline.models.torchvision_registry import models

    models()  # its import works only after this where its build does not fit torch's
    from torchvision.transforms.v2 import functional as peer

    images = torch.from_numpy(noise(4)).float()
    found = color(images, flat_draws(4, 3, 0.8), params_of(**{name: 0.5}))  # factor 1.3
    expected = getattr(peer, f"adjust_{name}")(images.permute(0, 3, 1, 2) / 255, 1.3)
    assert torch.allclose(found, 255 * expected.permute(0, 2, 3, 1), atol=0.1)


def test_erasing_fills_one_box_of_a_bounded_area_in_its_share_of_the_images():
    images = torch.zeros(2000, 20, 20, 3)
    images[:, :10] = 200
    u = torch.from_numpy(np.random.default_rng(2).random((2000, 5)))
    erased = (erase(images, u, 0.25)[..., 0] == 100).numpy()
    assert np.mean(erased.any((1, 2))) == pytest.approx(0.25, abs=0.04)
    for one in erased[erased.any((1, 2))]:
        rows, columns = one.any(1), one.any(0)
        assert (one == np.outer(rows, columns)).all()
    assert erased.mean((1, 2)).max() < 0.33 + 0.1  # whole pixels
