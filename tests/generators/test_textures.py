"""Surfaces: only the defect tells the classes apart, and it is where the mask says."""

import json

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from raresight.generators.base import Record
from raresight.generators.drawing import defects
from raresight.generators.textures import DEFECTIVE, SOUND, Textures, TexturesOptions
from raresight.pipeline.core import seeds

SIDE = 64


def build(**options):
    return Textures(TexturesOptions.model_validate_json(json.dumps(options)), SIDE)


def draw(generator, label, k=0):
    # One id for both classes: the same stream, and so the same surface, light, dust and noise.
    return generator.sample(Record(id=str(k), label=label), seeds.rng(1, "test", k))


@pytest.mark.parametrize("defect", defects.DEFECTS)
def test_a_defect_changes_the_image_at_its_mask_and_hardly_elsewhere(defect):
    generator = build(defect=[defect], size=(0.2, 0.3), blur=(0, 0), contrast=(0.4, 0.5))
    for k in range(20):
        sound, spoilt = draw(generator, SOUND, k), draw(generator, DEFECTIVE, k)
        changed = np.abs(sound.image.astype(int) - spoilt.image).max(axis=-1)
        inside = spoilt.mask == 1
        assert inside.sum() == spoilt.factors["defect_area"] > 0
        assert np.percentile(changed[inside], 90) > 15
        near = ndimage.binary_dilation(inside, np.ones((7, 7)))  # ends that fade out, rims
        assert changed[~near].max() <= 2


def test_a_sound_surface_has_neither_mask_nor_defect():
    sample = draw(build(), SOUND)
    assert sample.mask.sum() == len(sample.boxes) == sample.factors["defect_area"] == 0
    for name in ("defect", "defect_size", "defect_contrast", "thickness"):
        assert sample.factors[name] is None


def test_the_smallest_defects_still_have_a_pixel():
    generator = build(defect=["hole", "stain"], size=(0.01, 0.012))
    areas = [draw(generator, DEFECTIVE, k).factors["defect_area"] for k in range(40)]
    assert min(areas) >= 1
    assert max(areas) <= 4


def test_a_larger_defect_covers_more():
    area = [
        np.mean(
            [draw(build(defect=["stain"], size=(s, s)), DEFECTIVE, k).mask.sum() for k in range(20)]
        )
        for s in (0.1, 0.2, 0.4)
    ]
    assert area[0] < area[1] / 2 < area[2] / 4


def test_nuisance_is_drawn_alike_for_both_classes():
    generator = build()
    for k in range(10):
        sound, spoilt = (draw(generator, label, k).factors for label in (SOUND, DEFECTIVE))
        for name in ("surface", "lightness", "tint", "roughness", "shade", "dust", "blur", "noise"):
            assert sound[name] == spoilt[name]


@pytest.mark.parametrize("name", defects.SURFACES)
def test_surfaces_are_periodic_with_unit_variance(name):
    for number in range(3):
        bank = defects.surface(name, number, 0)
        assert bank.mean() == pytest.approx(0, abs=1e-3)
        assert bank.std() == pytest.approx(1, abs=1e-3)
        # The step over the border is no larger than those within.
        seam, within = np.abs(bank[0] - bank[-1]), np.abs(np.diff(bank, axis=0))
        assert seam.mean() < 1.5 * within.mean(axis=1).max()


def test_brushed_metal_runs_along_its_rows():
    bank = defects.surface("metal", 0, 0)
    assert np.abs(np.diff(bank, axis=0)).mean() > 4 * np.abs(np.diff(bank, axis=1)).mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"defect": ["crack"]}, "no 'crack'; there are dent, hole, scratch, stain"),
        (
            {"surface": {"discrete": {"values": ["wood"], "weights": [1]}}},
            "no 'wood'; there are con",
        ),
        ({"surface": "metal"}, "must be"),
        ({"size": (0.0, 0.2)}, r"within \[0.01, 1\]"),
        ({"dust": (0.5, 2)}, "whole numbers"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        TexturesOptions.model_validate_json(json.dumps(options))
