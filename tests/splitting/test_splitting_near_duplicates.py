"""The same picture once more is found, whatever was done to it; one that looks alike is not."""

import cv2
import numpy as np
import pytest
from pictures import jpeg, picture
from PIL import Image
from sklearn.datasets import load_digits

from raresight.pipeline.splitting.near_duplicates import (
    ORIENTATIONS,
    compare,
    near_duplicates,
    turned,
)


def half(image: np.ndarray) -> np.ndarray:
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def crop(image: np.ndarray) -> np.ndarray:
    """The middle nine tenths, as large as the whole."""
    cut = round(0.05 * len(image))
    return cv2.resize(image[cut:-cut, cut:-cut], image.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def moved(image: np.ndarray) -> np.ndarray:
    return np.pad(image, ((1, 0), (1, 0), (0, 0)), mode="edge")[:-1, :-1]


ALTERED = {
    "as it is": np.copy,
    "compressed": jpeg,
    "brighter": lambda image: np.clip(image * 1.1 + 5, 0, 255).astype(np.uint8),
    "half the size": half,
    "blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 1),
    "moved by a pixel": moved,
    "cropped": crop,
    "mirrored": lambda image: image[:, ::-1],
    "turned by 90 degrees": np.rot90,
}


@pytest.fixture(scope="module")
def scenes() -> np.ndarray:
    return np.stack([picture(seed) for seed in range(60)])


def found(images, groups=None):
    names = np.arange(len(images)).astype(str) if groups is None else groups
    return near_duplicates(images, np.arange(len(images)), names)


def test_none_of_different_scenes_show_the_same(scenes):
    assert found(scenes) == []


@pytest.mark.parametrize("what", ALTERED)
def test_the_same_once_more_is_found(scenes, what):
    again = np.stack([ALTERED[what](image) for image in scenes[:12]]).astype(np.uint8)
    pairs = found(np.concatenate([scenes, again]))
    assert {(pair.first, pair.second) for pair in pairs} == {(k, 60 + k) for k in range(12)}
    if what in ORIENTATIONS:
        assert {pair.orientation for pair in pairs} == {what}
    assert all(0.98 <= pair.similarity <= 1 for pair in pairs)


def test_at_the_size_of_photos_too():
    images = np.stack([picture(seed, 150) for seed in range(4)])
    for alter in (jpeg, half, crop):
        same, other = (compare(alter(images[0]), image) for image in images[:2])
        assert same.whole > 0.98
        assert same.detail > 0.9
        assert max(other.whole, other.detail) < 0.9


@pytest.mark.parametrize("number", range(8))
def test_every_orientation_undoes_what_is_said(scenes, number):
    pairs = found(np.stack([scenes[0], turned(scenes[0], number), *scenes[1:5]]))
    assert [(p.first, p.second, p.orientation) for p in pairs] == [(0, 1, ORIENTATIONS[number])]


def test_images_that_are_not_square_are_mirrored_at_most(scenes):
    wide = scenes[:, :30]
    pairs = found(np.concatenate([wide, wide[:3, :, ::-1]]))
    assert {(p.first, p.second, p.orientation) for p in pairs} == {
        (k, 60 + k, "mirrored") for k in range(3)
    }


def test_what_stays_together_anyway_is_not_compared_and_hides_nothing(scenes):
    """A patient of ten frames, and one of them again as another patient's."""
    frames = np.stack([jpeg(scenes[0]) ^ np.uint8(k & 1) for k in range(10)])
    images = np.concatenate([scenes[1:20], frames, moved(scenes[0])[None]])
    groups = np.array([str(k) for k in range(19)] + ["p"] * 10 + ["q"])
    pairs = found(images, groups)
    assert pairs
    assert {pair.second for pair in pairs} == {29}
    assert {pair.first for pair in pairs} <= set(range(19, 29))


def test_images_of_one_color_are_all_alike_and_none_is_named():
    plain = np.stack([np.full((16, 16, 3), k, np.uint8) for k in range(20, 30)])
    assert found(plain) == []
    assert found(plain[:1]) == []


def test_digits_look_alike_and_are_not_the_same():
    """Real images of 8 x 8 pixels, of which thumbnails call nearly every one alike another."""
    digits = [
        np.asarray(Image.fromarray((15 * one).astype(np.uint8)).convert("RGB").resize((32, 32), 3))
        for one in load_digits().images[:100]
    ]
    assert found(np.stack(digits)) == []
    again = [jpeg(digits[k]) for k in range(10)]
    pairs = found(np.stack([*digits, *again]))
    assert {(pair.first, pair.second) for pair in pairs} == {(k, 100 + k) for k in range(10)}


def test_what_jpeg_does_to_noisy_colors_hides_no_copy():
    """It halves their resolution: of noise in each channel by itself, half of the color is gone."""
    noise = np.random.default_rng(0).integers(0, 120, (20, 48, 48, 3)).astype(np.uint8)
    smaller = np.stack([cv2.resize(one, (32, 32), interpolation=cv2.INTER_AREA) for one in noise])
    again = np.stack([jpeg(one, quality=95) for one in noise])
    copies = np.stack([cv2.resize(one, (32, 32), interpolation=cv2.INTER_AREA) for one in again])
    colors = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(smaller, copies, strict=True)]
    assert max(colors) < 0.85
    pairs = found(np.concatenate([smaller, copies]))
    assert {(pair.first, pair.second) for pair in pairs} == {(k, 20 + k) for k in range(20)}
