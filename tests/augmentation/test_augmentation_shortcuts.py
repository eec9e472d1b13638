"""Shortcuts give the pixels of the library's own calls, bit for bit, and leave the same stream."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raresight.pipeline.augmentation import recipe, shortcuts
from raresight.pipeline.augmentation.params import Step
from raresight.pipeline.augmentation.transforms import transforms

AFFINES = [
    {"rotate": [-180, 180], "translate_percent": [-0.3, 0.3], "scale": [0.5, 1.5]},
    {"rotate": [0, 0], "scale": [1.0, 1.0]},  # the identity, which the library does not warp
    {"rotate": [5, 30], "shear": [-20, 20], "translate_px": [-3, 3], "border_mode": 4},
    {"scale": [0.8, 1.2], "keep_ratio": True, "balanced_scale": True, "fill": 77.0},
    {"scale": [0.6, 0.9], "fill": [10, 200, 30], "interpolation": 2},
]
STEPS = [
    *(("HorizontalFlip", {}), ("VerticalFlip", {}), ("RandomRotate90", {})),
    *(("Affine", arguments) for arguments in AFFINES),
    ("RandomBrightnessContrast", {}),
    ("RandomBrightnessContrast", {"brightness_by_max": False, "contrast_limit": [0.3, 0.9]}),
    ("RandomBrightnessContrast", {"brightness_limit": 0, "ensure_safe_range": True}),
    ("HueSaturationValue", {}),
    ("HueSaturationValue", {"hue_shift_limit": 0, "val_shift_limit": [-90, 90]}),
    ("HueSaturationValue", {"hue_shift_limit": 0, "sat_shift_limit": 0, "val_shift_limit": 0}),
]


def test_every_shortcut_of_the_table_is_tried():
    assert {name for name, _ in STEPS} == {*shortcuts.SPATIAL, *shortcuts.PIXEL}
    assert set(shortcuts.SPATIAL) <= set(transforms("spatial"))
    assert set(shortcuts.PIXEL) <= set(transforms("pixel"))


def by_the_library(built, image, mask, rng):
    """What the library makes of it when nobody takes a short cut."""
    built._python_random.bind(rng)
    data = {"image": image, "mask": mask}
    for transform in built.transforms:
        transform.set_random_state(rng, built._python_random)
        data = transform(**data)
    return data["image"], data["mask"]


@pytest.mark.parametrize("p", [0.5, 1.0])
@pytest.mark.parametrize(("name", "arguments"), STEPS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=15)
def test_a_shortcut_is_the_library_bit_for_bit(name, arguments, p, seed):
    built = recipe.build([Step.model_validate({"name": name, "p": p, **arguments})] * 2)
    pixels = np.random.default_rng(seed)
    width = 24 if name == "RandomRotate90" else 20  # which turns squares alone
    image = pixels.integers(0, 256, (24, width, 3), np.uint8)
    image[:4] = image[:4, :, :1]  # some grey
    mask = pixels.integers(0, 5, (24, width)).astype(np.float32)
    ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
    got = built(image, mask, rng=ours)
    expected = by_the_library(built, image.copy(), mask.copy(), theirs)
    assert np.array_equal(got[0], expected[0])
    assert np.array_equal(got[1], expected[1])
    assert ours.bit_generator.state == theirs.bit_generator.state


def test_transforms_that_change_the_size_or_are_not_known_go_the_long_way():
    for step in (
        {"name": "Affine", "p": 1.0, "fit_output": True},
        {"name": "ElasticTransform", "p": 1.0},
    ):
        built = recipe.build([Step.model_validate(step)])
        assert shortcuts.draw(built.transforms, (24, 20, 3)) is None


KNOWN = [("RandomBrightnessContrast", {}), ("HueSaturationValue", {"hue_shift_limit": [5, 9]})]


def transform_of(name: str, **arguments):
    """A transform that is always applied, with its randomness set."""
    (transform,) = recipe.build([Step(name=name, p=1.0, **arguments)]).transforms
    transform.set_random_state(np.random.default_rng(1), random.Random(1))
    return transform


@pytest.mark.parametrize(("name", "arguments"), KNOWN)
def test_a_color_image_goes_the_short_way(name, arguments, monkeypatch):
    """The library's own call is never made, and its pixels come out."""
    image = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    expected = transform_of(name, **arguments)(image=image)["image"]
    assert (expected != image).any()
    assert np.array_equal(shortcuts.recolor(transform_of(name, **arguments), image), expected)

    built = recipe.build([Step(name=name, p=1.0, **arguments)])
    monkeypatch.setattr(type(built.transforms[0]), "__call__", None)
    built(image, rng=np.random.default_rng(1))


@pytest.mark.parametrize(("name", "arguments"), KNOWN)
@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4, 3), np.float32)], ids=["gray", "float"]
)
def test_other_images_and_transforms_go_the_long_way(name, arguments, image):
    assert shortcuts.recolor(transform_of(name, **arguments), image) is None
    color = np.zeros((4, 4, 3), np.uint8)
    assert shortcuts.recolor(transform_of("GaussNoise"), color) is None


def test_moved_pixels_are_never_the_originals_own():
    image = np.zeros((8, 8, 3), np.uint8)
    assert not np.shares_memory(shortcuts.carry_out([], image, mask=False), image)
