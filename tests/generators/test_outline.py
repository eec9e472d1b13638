import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path

from raresight.generators.drawing.outline import SHAPES, cover, place


def lens(distance: float, r: float) -> float:
    """Area that the unit disc shares with a disc of radius r (mathworld, circle-circle)."""
    first = math.acos((distance**2 + 1 - r**2) / (2 * distance))
    second = r**2 * math.acos((distance**2 + r**2 - 1) / (2 * distance * r))
    square = (1 + r - distance) * (distance + 1 - r) * (distance - 1 + r) * (distance + 1 + r)
    return first + second - math.sqrt(square) / 2


AREAS = {
    "arrow": (0.8 * 1 + 0.6 * 1) / 1.09,  # head and shaft; the farthest corner is (0.3, 1)
    "circle": math.pi,
    "crescent": math.pi - lens(0.45, 0.8),
    "cross": (2 * 0.6 + 2 * 0.6 - 0.6**2) / 1.09,
    "ellipse": math.pi * 0.55,
    "hexagon": 3 * math.sin(math.pi / 3),
    "octagon": 4 * math.sin(math.pi / 4),
    "pentagon": 2.5 * math.sin(2 * math.pi / 5),
    "rectangle": 8 / 5,  # 4 by 2, half diagonal sqrt(5)
    "rhombus": 2 / 1.8,  # diagonals 2 and 2 / 1.8
    "ring": math.pi * (1 - 0.6**2),
    "semicircle": math.pi / 2,
    "square": 2.0,
    "star": 5 * 0.42 * math.sin(math.pi / 5),  # ten triangles with sides 1 and 0.42
    "triangle": 1.5 * math.sin(2 * math.pi / 3),
}

placement = st.tuples(
    st.sampled_from(sorted(SHAPES)),
    st.floats(-10, 42),
    st.floats(-10, 42),
    st.floats(0, 2 * math.pi),
    st.floats(0.5, 15),
)


def covered(edges: np.ndarray, side: int = 32) -> np.ndarray:
    share = np.zeros((side, side))
    cover(edges, share)
    return share


def sampled(name: str, edges: np.ndarray, side: int, samples: int = 16) -> np.ndarray:
    """The covered shares from samples x samples points a pixel, found by matplotlib."""
    grid = (np.arange(side * samples) + 0.5) / samples
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    parts = np.split(edges[:, :2], 2) if name == "ring" else [edges[:, :2]]
    inside = np.logical_xor.reduce([Path(part).contains_points(points) for part in parts])
    return inside.reshape(side, samples, side, samples).mean(axis=(1, 3))


def test_every_shape_has_an_area_worked_out_by_hand():
    assert set(AREAS) == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_the_covered_area_is_that_of_the_shape(name):
    share = covered(place(SHAPES[name], 16.3, 15.8, 0.7, 14.0, 14.0))
    assert share.sum() == pytest.approx(AREAS[name] * 14**2, rel=2e-4)


@pytest.mark.parametrize("name", SHAPES)
def test_the_circumscribed_circle_has_radius_one(name):
    radii = np.hypot(SHAPES[name][:, 0], SHAPES[name][:, 1])
    assert radii.max() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_edges_close_their_outline(name):
    starts, ends = SHAPES[name][:, :2].tolist(), SHAPES[name][:, 2:].tolist()
    assert sorted(starts) == sorted(ends)


@pytest.mark.parametrize("name", SHAPES)
def test_covered_shares_match_supersampling_to_45_db(name):
    edges = place(SHAPES[name], 15.2, 16.9, 0.4, 12.0, 12.0)
    error = np.mean((covered(edges) - sampled(name, edges, side=32)) ** 2)
    assert -10 * math.log10(error) >= 45


@given(placement)
@settings(max_examples=60)
def test_what_lies_outside_the_image_is_cut_off_exactly(where):
    name, x, y, angle, radius = where
    edges = place(SHAPES[name], x, y, angle, radius, radius)
    moved = place(SHAPES[name], x + 32, y + 32, angle, radius, radius)
    whole = covered(moved, side=96)
    assert covered(edges) == pytest.approx(whole[32:64, 32:64], abs=1e-7)


@given(placement)
@settings(max_examples=60)
def test_only_the_returned_box_is_written(where):
    name, x, y, angle, radius = where
    share = np.full((32, 32), 7.0)
    x0, y0, x1, y1 = cover(place(SHAPES[name], x, y, angle, radius, radius), share)
    inside = share[y0:y1, x0:x1]
    assert ((inside >= 0) & (inside <= 1)).all()
    share[y0:y1, x0:x1] = 7.0
    assert (share == 7.0).all()


def test_a_box_on_whole_pixels_covers_them_fully():
    edges = place(np.array(SHAPES["square"]), 4.0, 4.0, math.pi / 4, 2**1.5, 2**1.5)
    expected = np.zeros((8, 8))
    expected[2:6, 2:6] = 1.0
    assert covered(edges, side=8) == pytest.approx(expected, abs=1e-9)


def test_a_hole_stays_empty():
    share = covered(place(SHAPES["ring"], 16.0, 16.0, 0.0, 14.0, 14.0))
    assert share[14:18, 14:18].max() < 1e-12
    assert share[16, 27] == pytest.approx(1.0)


def test_angles_turn_clockwise_on_the_image():
    edges = place(SHAPES["triangle"], 0.0, 0.0, math.pi / 2, 10.0, 10.0)
    assert edges[0, :2] == pytest.approx((10.0, 0.0))  # the corner on top points right
