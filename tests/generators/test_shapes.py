import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmarks import supersampled
from benchmarks.scenes import drawn_by_us
from raresight.generators.base import Record
from raresight.generators.drawing import color
from raresight.generators.drawing.outline import SHAPES
from raresight.generators.factors import contains
from raresight.generators.shapes import Shapes, ShapesOptions
from raresight.pipeline.core import seeds

CLEAN = {"clutter": (0, 0), "occlusion": (0, 0), "noise": (0, 0), "grounds": ("plain",)}


def draw(label: str = "circle", *, seed: int = 1, side: int = 32, **options):
    generator = Shapes(ShapesOptions(**options), side)
    return generator.sample(Record(id="x", label=label), seeds.rng(seed, "test", "x"))


def grey(levels: float) -> list[int]:
    return [int(255 * levels + 0.5)] * 3


@st.composite
def ranges(draw, low: float, high: float):
    return tuple(sorted((draw(st.floats(low, high)), draw(st.floats(low, high)))))


@st.composite
def options(draw):
    clutter = sorted((draw(st.integers(0, 6)), draw(st.integers(0, 6))))
    grounds = draw(st.permutations(["plain", "gradient", "noise"]))
    return ShapesOptions(
        classes=tuple(draw(st.permutations(sorted(SHAPES)))[: draw(st.integers(2, 15))]),
        size=draw(ranges(0.05, 1)),
        rotation=draw(ranges(-360, 360)),
        hue=draw(ranges(-360, 360)),
        saturation=draw(ranges(0, 1)),
        lightness=draw(ranges(0, 1)),
        contrast=draw(ranges(0, 0.5)),
        grounds=tuple(grounds[: draw(st.integers(1, 3))]),
        clutter=tuple(clutter),
        occlusion=draw(ranges(0, 0.9)),
        noise=draw(ranges(0, 30)),
    )


@given(options(), st.integers(0, 2**32), st.sampled_from([8, 17, 32]))
@settings(max_examples=80)
def test_every_factor_lies_in_its_declared_range(chosen, seed, side):
    generator = Shapes(chosen, side)
    label = generator.classes[seed % len(generator.classes)]
    sample = generator.sample(Record(id="x", label=label), seeds.rng(seed, "test", "x"))
    values = sample.factors
    assert set(values) == set(generator.factors)
    for name in ("size", "rotation", "hue", "saturation", "lightness", "occlusion", "noise"):
        assert contains(getattr(chosen, name), values[name])
    assert contains(chosen.hue, values["ground_hue"])
    assert contains(chosen.contrast, abs(values["contrast"]))
    assert 0 <= values["lightness"] + values["contrast"] <= 1
    assert contains(chosen.clutter, values["clutter"])
    assert values["ground"] in chosen.grounds
    for name in ("x", "y"):
        assert values["size"] / 2 - 1e-9 <= values[name] <= 1 - values["size"] / 2 + 1e-9
    assert 0 <= values["visible"] <= 1


@pytest.mark.parametrize("label", sorted(SHAPES))
def test_a_picture_is_exact_to_45_db(label):
    """Against the scene worked out anew and seen through 16 x 16 points a pixel, in plain numpy."""
    image, scene = drawn_by_us(label, 64, seed=len(label))
    assert supersampled.decibels([image], [supersampled.draw(scene)]) >= 45


@given(st.sampled_from(sorted(SHAPES)), st.integers(0, 2**32), st.floats(0, 0.9))
@settings(max_examples=60)
def test_a_sample_is_an_image_with_a_box_around_its_mask(label, seed, hidden):
    sample = draw(label, seed=seed, occlusion=(hidden, hidden), clutter=(0, 9))
    assert (sample.image.shape, sample.image.dtype) == ((32, 32, 3), np.uint8)
    assert (sample.mask.shape, sample.mask.dtype) == ((32, 32), np.uint8)
    assert sample.label == label
    assert set(np.unique(sample.mask)) <= {0, 1}
    rows, columns = np.nonzero(sample.mask)
    if not len(rows):
        assert not sample.boxes
        return
    ((x, y, width, height),) = sample.boxes
    assert (x, x + width) == (columns.min(), columns.max() + 1)
    assert (y, y + height) == (rows.min(), rows.max() + 1)


def test_a_shape_of_which_nothing_is_seen_has_no_box():
    sample = draw(seed=1, size=(0.05, 0.05), **{**CLEAN, "clutter": (100, 100)})
    assert (sample.mask.sum(), tuple(sample.boxes), sample.factors["visible"]) == (0, (), 0)


@given(st.floats(-360, 360), st.floats(-1, 2), st.floats(0, 1))
def test_compiled_colours_are_those_of_the_standard_library(hue, lightness, saturation):
    cut = min(max(lightness, 0.0), 1.0)
    expected = colorsys.hls_to_rgb(hue / 360 % 1, cut, saturation)
    assert color.rgb(hue, lightness, saturation) == expected


def test_the_records_stream_alone_decides_on_the_sample():
    generator = Shapes(ShapesOptions(), 24)
    records = [Record(id=str(k), label=generator.classes[k]) for k in range(8)]

    def all_of(order) -> dict[str, tuple[bytes, bytes]]:
        drawn = {r.id: generator.sample(r, seeds.rng(3, "test", r.id)) for r in order}
        return {key: (s.image.tobytes(), s.mask.tobytes()) for key, s in sorted(drawn.items())}

    forwards = all_of(records)
    assert all_of(reversed(records)) == forwards
    assert len(set(forwards.values())) == 8


def test_the_class_decides_on_the_outline_alone():
    drawn = {label: draw(label, seed=5) for label in SHAPES}
    factors = [{**sample.factors, "visible": None} for sample in drawn.values()]
    assert all(values == factors[0] for values in factors)
    assert len({sample.mask.tobytes() for sample in drawn.values()}) == len(SHAPES)


@pytest.mark.parametrize("label", SHAPES)
def test_without_nuisance_there_are_two_colours_and_the_mask_parts_them(label):
    sample = draw(label, side=64, size=(0.8, 0.8), **CLEAN)
    f = sample.factors
    ground = colorsys.hls_to_rgb(f["ground_hue"] / 360, f["lightness"], f["saturation"] / 2)
    shape = colorsys.hls_to_rgb(f["hue"] / 360, f["lightness"] + f["contrast"], f["saturation"])
    near = {
        name: np.abs(sample.image - 255 * np.array(colour)).max(axis=-1) <= 0.51
        for name, colour in {"ground": ground, "shape": shape}.items()
    }
    assert (near["ground"] | near["shape"]).mean() > 0.85  # the rest is the soft edge
    assert not near["shape"][sample.mask == 0].any()
    assert not near["ground"][sample.mask == 1].any()
    assert f["visible"] == 1


@pytest.mark.parametrize(
    ("lightness", "expected"), [(0.0, {0.3}), (0.9, {-0.3}), (0.5, {-0.3, 0.3})]
)
def test_the_shape_is_lighter_or_darker_as_there_is_room(lightness, expected):
    ranges = {"lightness": (lightness, lightness), "contrast": (0.3, 0.3)}
    samples = [draw(seed=seed, side=8, **ranges) for seed in range(30)]
    assert {sample.factors["contrast"] for sample in samples} == expected


def test_the_size_is_the_diameter_of_the_circumscribed_circle():
    sample = draw("circle", side=64, size=(0.5, 0.5), **CLEAN)
    assert sample.mask.sum() == pytest.approx(np.pi * 16**2, rel=0.02)
    x, y = sample.factors["x"] * 64, sample.factors["y"] * 64
    rows, columns = np.nonzero(sample.mask)
    assert columns.mean() + 0.5 == pytest.approx(x, abs=0.2)
    assert rows.mean() + 0.5 == pytest.approx(y, abs=0.2)


def test_half_an_occluded_circle_is_visible():
    sample = draw("circle", side=64, size=(0.7, 0.7), **{**CLEAN, "occlusion": (0.5, 0.5)})
    assert sample.factors["visible"] == pytest.approx(0.5, abs=0.04)


@given(st.integers(0, 2**32), st.floats(0, 0.9), st.sampled_from(sorted(SHAPES)))
@settings(max_examples=40)
def test_visible_is_the_share_of_the_mask_that_a_card_leaves(seed, occlusion, label):
    free = draw(label, seed=seed, **{**CLEAN, "occlusion": (0, 0)})
    hidden = draw(label, seed=seed, **{**CLEAN, "occlusion": (occlusion, occlusion)})
    assert not (hidden.mask & ~free.mask).any()
    assert hidden.factors["visible"] == hidden.mask.sum() / free.mask.sum()


def test_clutter_may_hide_part_of_the_shape():
    samples = [draw(seed=k, **{**CLEAN, "clutter": (30, 30)}) for k in range(10)]
    assert all(sample.factors["clutter"] == 30 for sample in samples)
    assert min(sample.factors["visible"] for sample in samples) < 0.95


def test_noise_has_the_standard_deviation_that_is_recorded():
    same = {"lightness": (0.5, 0.5), "contrast": (0, 0), "saturation": (0, 0)}
    sample = draw(side=128, **{**CLEAN, **same, "noise": (6, 6)})
    assert sample.image.mean() == pytest.approx(127.5, abs=0.5)
    assert sample.image.std() == pytest.approx(6, abs=0.3)


def test_a_plain_grey_ground_is_uniform_and_the_others_are_not():
    same = {"lightness": (0.5, 0.5), "contrast": (0, 0), "saturation": (0, 0)}

    def image(ground: str) -> np.ndarray:
        return draw(**{**CLEAN, **same, "grounds": (ground,)}).image

    assert image("plain").tolist() == [[grey(0.5)] * 32] * 32
    (first, second), (third, fourth) = image("gradient")[::31, ::31, 0].astype(int)
    assert abs(first + fourth - second - third) <= 2  # the corners lie in one plane
    assert max(abs(first - fourth), abs(second - third)) > 0.25 * 255
    assert image("noise").std() == pytest.approx(0.05 * 255, rel=0.5)


@pytest.mark.parametrize("side", [8, 256])
def test_any_image_size_works(side):
    assert draw("star", side=side).image.shape == (side, side, 3)


def test_classes_are_sorted_whatever_the_options_order():
    assert Shapes(ShapesOptions(classes=("star", "circle")), 8).classes == ("circle", "star")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("classes", ("circle",), "at least 2"),
        ("classes", ("circle", "circle"), "only once"),
        ("classes", ("circle", "blob"), "'arrow'"),
        ("size", (0.5, 0.2), "low <= high"),
        ("size", (0.5, 1.2), r"within \[0.05, 1\]"),
        ("size", (0.0, 0.5), r"within \[0.05, 1\]"),
        ("saturation", (0, 2), r"within \[0, 1\]"),
        ("contrast", (0.2, 0.7), r"within \[0, 0.5\]"),
        ("grounds", (), "at least 1"),
        ("grounds", ("lava",), "'plain'"),
        ("clutter", (0.5, 2), "whole numbers"),
        ("clutter", (-1, 2), r"within \[0, 100\]"),
        ("occlusion", (0, 1), r"within \[0, 0.9\]"),
        ("noise", (-1, 2), "must not go below 0"),
        ("noise", 3.0, r"must be \[low, high\] or one of the distributions {uni"),
        ("colour", (0, 1), "not permitted"),
    ],
)
def test_bad_options_are_refused(key, value, message):
    with pytest.raises(ValidationError, match=message):
        ShapesOptions(**{key: value})
