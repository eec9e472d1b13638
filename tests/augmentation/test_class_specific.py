"""Doubts about recipes: transforms that mark a class, and copies that nobody can check."""

from itertools import product

import numpy as np
import pytest
import torch

from raresight.pipeline.augmentation.class_specific import (
    EXACT,
    can_lose_label,
    class_specific,
    doubts,
    favored,
)
from raresight.pipeline.augmentation.params import AugmentParams
from raresight.pipeline.augmentation.recipe import build
from raresight.pipeline.core import seeds
from raresight.pipeline.training.data.augment import BatchAugment
from raresight.pipeline.training.params.batches import BatchAugmentParams

FLIP, GAIN = {"name": "HorizontalFlip"}, {"name": "RandomBrightnessContrast"}
CLASSES = ("common", "other", "rare")
IMAGE = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)


def section(**keys) -> AugmentParams:
    return AugmentParams.model_validate(keys)


def outcomes_of(name: str) -> set[bytes]:
    """Everything that a transform makes of IMAGE."""
    recipe = build(section(spatial=[{"name": name, "p": 1.0}]).spatial)
    drawn = [recipe(IMAGE, rng=seeds.rng(1, "test", draw))[0] for draw in range(200)]
    return {image.tobytes() for image in drawn} | {IMAGE.tobytes()}


@pytest.mark.parametrize("name", sorted(EXACT))
def test_exact_moves_put_every_pixel_somewhere_and_change_none(name):
    for image in outcomes_of(name):
        pixels = np.frombuffer(image, np.uint8).reshape(-1, 3)
        assert sorted(map(tuple, pixels)) == sorted(map(tuple, IMAGE.reshape(-1, 3)))


@pytest.mark.parametrize(
    ("flip", "rotate90"), list(product(("none", "horizontal", "vertical", "both"), (False, True)))
)
def test_what_training_is_said_to_do_to_every_image_it_does(flip, rotate90):
    params = BatchAugmentParams(flip=flip, rotate90=rotate90)
    images = torch.from_numpy(np.repeat(IMAGE[None], 400, axis=0))
    made = BatchAugment(params, seed=1)(images, np.arange(400), epoch=0).numpy()
    reached = {image.tobytes() for image in made}
    assert params.exact_moves == {name for name in EXACT if outcomes_of(name) <= reached}


def test_a_class_is_favored_when_another_has_fewer_copies():
    assert favored(section(copies={"rare": 8}), CLASSES) == ("rare",)
    assert favored(section(copies={"rare": 8, "common": 1, "other": 1}), CLASSES) == ("rare",)
    assert favored(section(copies={"rare": 4, "other": 2}), CLASSES) == ("other", "rare")
    assert favored(section(copies=dict.fromkeys(CLASSES, 4)), CLASSES) == ()
    assert favored(section(copies={"rare": 0}), CLASSES) == ()
    assert favored(section(), CLASSES) == ()


def test_a_transform_of_one_class_alone_is_named_with_its_place():
    params = section(copies={"rare": 8}, spatial=[FLIP], pixel=[GAIN, {**GAIN, "p": 0.0}])
    found = class_specific(params, CLASSES, in_training={"HorizontalFlip"})
    assert found.classes == ("rare",)
    assert found.steps == ("pixel[0] RandomBrightnessContrast",)
    assert class_specific(params, CLASSES).steps[0] == "spatial[0] HorizontalFlip"
    (doubt,) = doubts(params, CLASSES, in_training={"HorizontalFlip"}, without_masks=[])
    assert "'rare' is copied" in doubt
    assert "augment.pixel[0] RandomBrightnessContrast" in doubt


@pytest.mark.parametrize(
    "params",
    [
        section(copies={"rare": 8}, spatial=[FLIP]),
        section(copies={"rare": 8}),  # shown more often, and not otherwise
        section(pixel=[GAIN]),
        section(copies=dict.fromkeys(CLASSES, 2), pixel=[GAIN]),
    ],
)
def test_what_every_class_goes_through_marks_none(params):
    assert class_specific(params, CLASSES, in_training={"HorizontalFlip"}) is None
    assert not list(doubts(params, CLASSES, in_training={"HorizontalFlip"}, without_masks=["a"]))


HIDE = {"name": "CoarseDropout", "hole_height_range": [0.9, 0.9], "hole_width_range": [0.9, 0.9]}


def test_copies_that_nobody_can_check_are_doubted_unless_that_is_said():
    alike = dict.fromkeys(CLASSES, 1)
    params = section(copies=alike, spatial=[FLIP, HIDE])
    assert can_lose_label(params)
    (doubt,) = doubts(params, CLASSES, in_training=(), without_masks=["photos", "scans"])
    assert doubt.startswith("augment.min_label_share: photos, scans: no masks")
    assert "whatever CoarseDropout leaves of its label" in doubt
    assert not list(doubts(params, CLASSES, in_training=(), without_masks=[]))
    said = section(copies=alike, spatial=[HIDE], min_label_share=0.0)
    assert not list(doubts(said, CLASSES, in_training=(), without_masks=["photos"]))
    assert not can_lose_label(section(spatial=[FLIP]))
