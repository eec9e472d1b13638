"""Texture banks: windows of them are turned and scaled, and a set of banks shares none."""

import json

import numpy as np
import pytest
from scipy import ndimage

from raresight.generators import GENERATORS
from raresight.generators.base import Record
from raresight.generators.drawing import defects, noise
from raresight.pipeline.core import seeds

# Generators whose grounds are taken from banks, with options that leave nothing else to differ.
GROUNDED = {
    "pathology": {"noise": [0, 0]},
    "shapes": {"grounds": ["noise"], "noise": [0, 0]},
    "glyphs": {"mottle": [0.04, 0.04], "noise": [0, 0]},
    "textures": {"noise": [0, 0]},
}


def window(row=0.0, column=0.0, turn=0.0, scale=0.5):
    return np.array([0.0, row, column, turn, scale])


def taken(bank, size=64, **where):
    out = np.empty((size, size), np.float32)
    noise.take(bank, window(**where), out)
    return out


@pytest.fixture(scope="module")
def bank():
    return noise.texture("test", cells=[(8, 8), (32, 32)])


@pytest.mark.parametrize(("row", "column"), [(0, 0), (20, 250), (255, 3)])
def test_a_window_of_scale_one_is_a_piece_of_the_bank(bank, row, column):
    """The scale is 1 at the middle of its range, 0.7 to 1.3; a window that leaves the bank goes on
    at the other side."""
    found = taken(bank, row=row / noise.BANK, column=column / noise.BANK)
    expected = noise.wrapped(bank, 64)[row : row + 64, column : column + 64]
    assert np.allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("turn", [0.1, 0.37, 0.81])
@pytest.mark.parametrize("scale", [0.0, 0.99])
def test_a_window_is_what_another_library_interpolates(bank, turn, scale):
    where = window(row=0.3, column=0.8, turn=turn, scale=scale)
    step, angle = 0.7 + 0.6 * scale, 2 * np.pi * turn
    y, x = np.mgrid[:64, :64]
    rows = 0.3 * noise.BANK + step * (np.cos(angle) * y + np.sin(angle) * x)
    columns = 0.8 * noise.BANK + step * (np.cos(angle) * x - np.sin(angle) * y)
    expected = ndimage.map_coordinates(
        bank.astype(float), (rows, columns), order=1, mode="grid-wrap"
    )
    out = np.empty((64, 64), np.float32)
    noise.take(bank, where, out)
    assert np.abs(out - expected).max() < 0.01


@pytest.mark.parametrize("name", sorted(GROUNDED))
def test_another_set_of_banks_changes_the_ground_and_nothing_else(name):
    kind = GENERATORS[name]
    shipped, other = (
        kind(kind.options.model_validate_json(json.dumps(GROUNDED[name] | {"ground_set": k})), 64)
        for k in (0, 1)
    )
    label = shipped.classes[0]
    for k in range(5):
        one, two = (
            g.sample(Record(id=str(k), label=label), seeds.rng(1, "banks", str(k)))
            for g in (shipped, other)
        )
        assert dict(one.factors) == dict(two.factors)
        assert (one.image != two.image).any(axis=-1).mean() > 0.3


@pytest.mark.parametrize("kind", defects.SURFACES)
def test_no_two_banks_of_a_texture_are_alike(kind):
    banks = [
        defects.surface(kind, number, chosen) for chosen in (0, 1) for number in range(noise.BANKS)
    ]
    alike = np.corrcoef([bank[:64, :64].ravel() for bank in banks]) - np.eye(len(banks))
    assert np.abs(alike).max() < 0.98
    assert len({bank.tobytes() for bank in banks}) == 2 * noise.BANKS


def test_every_bank_is_chosen_about_as_often():
    """Chi-square of 12 banks over 2,400 records, whose 99.9 % quantile is 31.3."""
    counts = np.bincount(
        [noise.which(seeds.rng(1, "banks", str(k)).random()) for k in range(2400)],
        minlength=noise.BANKS,
    )
    assert ((counts - 200) ** 2 / 200).sum() < 31.3
