"""Recipes: pure functions of their random stream that move the mask with the image."""

import random
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from raresight.pipeline.augmentation import recipe
from raresight.pipeline.augmentation.params import Step
from raresight.pipeline.augmentation.transforms import transforms
from raresight.pipeline.runtime.errors import ParamsError

SPATIAL = [
    "Affine", "CoarseDropout", "D4", "ElasticTransform", "Erasing", "GridDistortion", "GridDropout",
    "HorizontalFlip", "OpticalDistortion", "Perspective", "PixelDropout", "RandomGridShuffle",
    "RandomRotate90", "Rotate", "SafeRotate", "ThinPlateSpline", "Transpose", "VerticalFlip",
    "XYMasking",
]  # fmt: skip
PIXEL = [
    "AdditiveNoise", "Blur", "CLAHE", "ChannelDropout", "ChannelShuffle", "ColorJitter", "Defocus",
    "Downscale", "Emboss", "FancyPCA", "GaussNoise", "GaussianBlur", "GlassBlur", "HEStain",
    "HueSaturationValue", "ISONoise", "Illumination", "ImageCompression", "MotionBlur",
    "MultiplicativeNoise", "PlasmaShadow", "RandomBrightnessContrast", "RandomFog", "RandomGamma",
    "RandomRain", "RandomSnow", "SaltAndPepper", "Sharpen", "ShotNoise", "Spatter", "UnsharpMask",
]  # fmt: skip


def step(name: str, p: float = 1.0, **arguments) -> Step:
    return Step.model_validate({"name": name, "p": p, **arguments})


def usable(kind: str) -> list[str]:
    """The transforms of a kind that work on our images as they are where nothing is written."""
    return [name for name in transforms(kind) if not recipe.problems([step(name)], "r")]


def stream(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def picture(seed: int = 0) -> np.ndarray:
    """A smooth image that nobody may write to, as one from a memory map."""
    noise = stream(seed).integers(0, 256, (32, 32, 3), np.uint8)
    smooth = cv2.GaussianBlur(noise, (5, 5), 2)
    smooth.flags.writeable = False
    return smooth


def numbered() -> np.ndarray:
    mask = np.zeros((32, 32), np.float32)
    mask[8:24, 8:24] = np.arange(1, 257).reshape(16, 16)
    mask.flags.writeable = False
    return mask


@pytest.mark.parametrize("name", transforms())
def test_every_transform_is_refused_with_a_reason_or_is_a_pure_function_of_its_stream(name):
    if refused := recipe.problems([step(name)], "r", image_shape=(32, 32, 3)):
        assert name not in SPATIAL + PIXEL
        assert all(re.fullmatch(r"r\[0\]\.\w+: .*\.?", problem) for problem in refused)
        return
    transform = recipe.build([step(name)])
    image, mask = transform(picture(), numbered(), rng=stream(5))
    transform(picture(1), numbered(), rng=stream(9))
    random.seed(1)
    np.random.seed(1)  # nobody may read it
    cv2.setRNGSeed(1)
    again, mask_again = transform(picture(), numbered(), rng=stream(5))
    assert np.array_equal(image, again)
    assert np.array_equal(mask, mask_again)
    assert image.shape == (32, 32, 3)
    assert image.dtype == np.uint8


def test_the_table_has_the_two_kinds_and_no_transform_twice():
    spatial, pixel = transforms("spatial"), transforms("pixel")
    assert set(SPATIAL) <= set(spatial)
    assert set(PIXEL) <= set(pixel)
    assert not set(spatial) & set(pixel)
    assert {**spatial, **pixel} == transforms()


class OneGauss:
    """A transform that draws one of the pair of numbers that ``random.gauss`` makes at a time."""

    def set_random_state(self, rng, python_random):
        self.python_random = python_random

    def __call__(self, image):
        image[0, 0, 0] = round(self.python_random.gauss(128, 30))
        return {"image": image}


def test_no_draw_is_left_over_for_the_next_image():
    transform = recipe.Recipe((OneGauss(),))
    first, _ = transform(picture(), rng=stream(5))
    second, _ = transform(picture(), rng=stream(5))
    assert first[0, 0, 0] == second[0, 0, 0]


@pytest.mark.parametrize("name", usable("spatial"))
def test_a_mask_is_moved_and_erased_but_its_values_never_mixed(name):
    for seed in range(5):
        _, mask = recipe.build([step(name)])(picture(), numbered(), rng=stream(seed))
        assert set(np.unique(mask)) <= set(np.unique(numbered()))


@pytest.mark.parametrize("name", usable("pixel"))
def test_pixel_transforms_leave_the_mask_alone(name):
    _, mask = recipe.build([step(name)])(picture(), numbered(), rng=stream(0))
    assert np.array_equal(mask, numbered())


def test_the_mask_goes_where_the_image_goes():
    mask = (stream(3).random((32, 32)) < 0.3).astype(np.uint8)
    image = np.repeat(mask[..., None] * np.uint8(200), 3, axis=2)
    moves = [step("D4"), step("RandomRotate90"), step("Transpose", p=0.5)]
    for seed in range(10):
        moved_image, moved_mask = recipe.build(moves)(image, mask, rng=stream(seed))
        assert np.array_equal(moved_image[..., 0], moved_mask * 200)


def test_what_a_transform_paints_over_is_gone_from_the_mask():
    white, label = np.full((32, 32, 3), 255, np.uint8), np.ones((32, 32), np.uint8)
    holes = step("CoarseDropout", num_holes_range=[2, 4], fill=0)
    for seed in range(5):
        image, mask = recipe.build([holes])(white, label, rng=stream(seed))
        assert 0 < mask.sum() < mask.size
        assert np.array_equal(image[..., 0] > 0, mask > 0)


def test_transforms_of_equal_p_fire_independently():
    both = recipe.build([step("HorizontalFlip", p=0.5), step("VerticalFlip", p=0.5)])
    image = picture()
    views = [image[::y, ::x] for x in (1, -1) for y in (1, -1)]
    counts = np.zeros(4, int)
    for seed in range(800):
        result, _ = both(image, rng=stream(seed))
        counts += [np.array_equal(result, view) for view in views]
    # 200 expected each, standard deviation 12
    assert counts.sum() == 800
    assert np.abs(counts - 200).max() < 60


def test_steps_are_applied_in_order():
    posterize = step("Posterize", num_bits=1)
    invert = step("InvertImg")
    image, _ = recipe.build([posterize, invert])(picture(), rng=stream(0))
    assert np.array_equal(image, 255 - (picture() & 0x80))
    image, _ = recipe.build([invert, posterize])(picture(), rng=stream(0))
    assert np.array_equal(image, (255 - picture()) & 0x80)


def test_an_empty_recipe_gives_a_copy():
    image, mask = recipe.build([])(picture(), rng=stream(0))
    assert np.array_equal(image, picture())
    image[:] = 0  # writable, and not the argument
    assert mask is None


def test_a_change_of_size_is_an_error_that_names_the_transform():
    with pytest.raises(
        ParamsError, match=r"Resize turns uint8 \(32, 32, 3\) into uint8 \(16, 16, 3\)"
    ):
        recipe.build([step("Resize", height=16, width=16)])(picture(), rng=stream(0))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            step("HorizontlFlip"),
            r"\[0\]\.name: unknown transform 'HorizontlFlip'. Did you mean 'Hor",
        ),
        (step("DualTransform"), r"\[0\]\.name: unknown transform 'DualTransform'"),
        (step("Affine", rotat=[0, 9]), r"\[0\]\.rotat: Affine has no such argument.*mean 'rotate'"),
        (step("Affine", border_mode=99), r"\[0\]\.border_mode: Affine: .*Got 99"),
        (step("Affine", scale="big"), r"\[0\]\.scale: Affine: .*Got 'big'"),
        (step("Perspective", scale=-1), r"\[0\]\.scale: Perspective: .*non negative.*Got -1"),
        (step("CoarseDropout", fill_mask=1), r"\[0\]\.fill_mask: leave this out"),
        (step("Rotate", mask_interpolation=1), r"\[0\]\.mask_interpolation: leave this out"),
        (step("Resize", height=16, width=16), r"\[0\]\.name: .*must keep their size"),
        (step("RandomScale", p=0.01), r"\[0\]\.name: .*must keep their size"),
        (step("RandomCrop"), r"\[0\]\.height: RandomCrop: Field required"),
        (step("RandomCrop", height=99, width=99), r"\[0\]\.name: 'RandomCrop' cannot be used here"),
        (step("Normalize"), r"\[0\]\.name: .*into float32"),
        (step("MaskDropout"), r"\[0\]\.name: 'MaskDropout' cannot be used here"),
        (step("ShiftScaleRotate"), r"\[0\]\.name: .*use Affine"),
        (
            step("HEStain", intensity_scale_range=[10_000, 10_000]),
            r"\[0\]\.name: 'HEStain' cannot be used here: overflow",
        ),
    ],
)
def test_a_step_that_cannot_work_is_refused(bad, message):
    with pytest.raises(ParamsError, match=r"params\.yaml: augment\.spatial" + message):
        recipe.check([bad], "params.yaml: augment.spatial")


def test_a_transform_of_the_other_kind_is_told_where_it_belongs():
    with pytest.raises(ParamsError, match="'Blur' is a pixel transform; move it to `pixel`"):
        recipe.check([step("Blur")], "augment.spatial", kind="spatial")
    with pytest.raises(ParamsError, match="'Rotate' is a spatial transform; move it to `spatial`"):
        recipe.check([step("Rotate")], "augment.pixel", kind="pixel")
    recipe.check([step("Blur"), step("Rotate")], "evaluate.perturb")


def test_all_problems_come_together():
    bad = [step("Blur", blur=3), step("Rotate"), step("Rotat"), step("Affine", rotat=1, scal=2)]
    problems = recipe.problems(bad, "r")
    starts = [problem.partition(":")[0] for problem in problems]
    assert starts == ["r[0].blur", "r[2].name", "r[3].rotat", "r[3].scal"]


def test_good_steps_have_no_problems_whatever_the_image_size():
    steps = [step(name) for name in SPATIAL + PIXEL]
    assert recipe.problems(steps, "r") == []
    fitting = [step("RandomCrop", height=16, width=16)]
    assert recipe.problems(fitting, "r", image_shape=(16, 16, 3)) == []
    assert len(recipe.problems(fitting, "r", image_shape=(32, 32, 3))) == 1


def test_the_library_is_imported_late_and_without_torch():
    code = """
import sys
from raresight.pipeline.augmentation import recipe
from raresight.pipeline.augmentation.params import Step
from raresight.pipeline.augmentation.transforms import transforms
assert "albumentations" not in sys.modules
recipe.build([Step(name="HorizontalFlip", p=0.5)])
assert "albumentations" in sys.modules and "torch" not in sys.modules
import torch
assert torch.tensor([1.0]).numpy()[0] == 1
"""
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], check=True)
