"""Tissue patches: drawn from their factors, alike in all but the label, with masks that mark it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import ndimage

from raresight.generators.base import Record
from raresight.generators.drawing import stain
from raresight.generators.factors import contains
from raresight.generators.pathology import Pathology, PathologyOptions
from raresight.pipeline.core import seeds

GENERATOR = Pathology(PathologyOptions(), 64)


def draw(label, k, generator=GENERATOR):
    record = Record(id=f"{label}-{k}", label=label)
    return generator.sample(record, seeds.rng(1, "generate", record.id))


@given(st.integers(0, 10_000), st.sampled_from(["normal", "mitotic"]))
@settings(max_examples=40)
def test_every_factor_lies_in_its_range(k, label):
    sample = draw(label, k)
    options = GENERATOR.config
    for name in ("nuclei", "radius", "lookalikes", "eosin", "hue", "stroma", "blur", "noise"):
        assert contains(getattr(options, name), sample.factors[name]), name
    assert set(sample.factors) == set(GENERATOR.factors)
    if label == "mitotic":
        assert contains(options.figures, sample.factors["figures"])
        assert sample.factors["phase"] in {"prometaphase", "metaphase", "anaphase"}
    else:
        assert sample.factors["figures"] == 0
        assert sample.factors["phase"] is None


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_mask_boxes_and_label_agree(k):
    normal, mitotic = draw("normal", k), draw("mitotic", k)
    assert normal.mask.sum() == 0
    assert len(normal.boxes) == 0
    assert len(mitotic.boxes) == mitotic.factors["figures"]
    inside = np.zeros_like(mitotic.mask)
    for x, y, width, height in mitotic.boxes:
        box = (slice(int(y), int(y + height)), slice(int(x), int(x + width)))
        assert mitotic.mask[box].any(axis=0).any()
        inside[box] = 1
    assert mitotic.mask.sum() > 0
    assert not (mitotic.mask & ~inside & 1).any()


def test_a_figure_is_darker_than_its_surroundings():
    """The mask is over the chromatin: its red light is absorbed more than the patch's median."""
    darker = [
        np.median(sample.image[sample.mask == 1, 0]) < np.median(sample.image[..., 0])
        for sample in (draw("mitotic", k) for k in range(50))
    ]
    assert np.mean(darker) > 0.95


def test_the_same_record_gives_the_same_bytes_in_any_order():
    first = [draw("mitotic", k).image.tobytes() for k in range(5)]
    again = [draw("mitotic", k).image.tobytes() for k in reversed(range(5))]
    assert first == again[::-1]


def test_nuisance_factors_are_drawn_alike_for_both_classes():
    """Two-sample z-test on the means: 300 a class, five standard errors."""
    groups = {
        label: [draw(label, k).factors for k in range(300)] for label in ("normal", "mitotic")
    }
    for name in ("nuclei", "lookalikes", "haematoxylin", "eosin", "blur", "noise"):
        a, b = (np.array([f[name] for f in groups[label]], float) for label in groups)
        error = np.sqrt(a.var() / len(a) + b.var() / len(b))
        assert abs(a.mean() - b.mean()) < 5 * error, name


def test_light_follows_beer_and_lambert():
    rng = np.random.Generator(np.random.PCG64(1))
    h, e = rng.uniform(0, 3, (2, 8, 8)).astype(np.float32)
    planes = np.empty((3, 8, 8), np.float32)
    stain.transmit(h, e, (1.1, 0.8), 0.0, (0.2, -0.1), planes)
    light = 1 - 0.1 - 0.2 * np.arange(8) / 8 + 0.1 * np.arange(8)[:, None] / 8
    density = h[None] * 1.1 * stain.HAEMATOXYLIN[:, None, None]
    density = density + e[None] * 0.8 * stain.EOSIN[:, None, None]
    assert np.abs(planes - light * np.exp(-density)).max() < 1e-4


@pytest.mark.parametrize("sigma", [0.35, 0.7, 1.5])  # kernels of 2 and 3, and the general one
def test_blur_is_a_gaussian(sigma):
    rng = np.random.Generator(np.random.PCG64(2))
    planes = rng.random((3, 20, 24), dtype=np.float32)
    expected = [
        ndimage.gaussian_filter(
            plane.astype(float), sigma, mode="nearest", radius=int(np.ceil(2.5 * sigma))
        )
        for plane in planes
    ]
    stain.blur(planes, sigma)
    assert np.abs(planes - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("radius", (0, 3), "above 0"),
        ("nuclei", (9, 3), "low <= high"),
        ("figures", (0, 1), r"within \[1, 20\]"),
        ("shade", (-0.9, 0), r"within \[-0.5, 0.5\]"),
        ("noise", (-1, 2), "below 0"),
    ],
)
def test_impossible_ranges_are_refused(name, value, words):
    with pytest.raises(ValidationError, match=words):
        PathologyOptions(**{name: value})


def test_other_sizes_keep_the_density():
    small = Pathology(PathologyOptions(), 32)
    assert draw("mitotic", 1, small).image.shape == (32, 32, 3)
    assert draw("mitotic", 1, small).mask.sum() > 0
