"""CARLA's frames: what the bytes mean, and what a sample tells of them."""

import math

import numpy as np
import pytest
from carla_frames import person, pixels, shot, wall
from hypothesis import given, settings
from hypothesis import strategies as st

from raresight.generators.carla import decode, sample_of
from raresight.generators.carla.record import Shot
from raresight.generators.carla.staged import StagedCarla


def test_colours_tags_and_numbers_come_from_their_channels():
    one = shot(pixels(12, 20, 55))
    assert decode.colours(one).tolist() == [[[12, 20, 55]]]
    assert decode.tags(one).tolist() == [[12]]
    assert decode.instances(one).tolist() == [[20 + 55 * 256]]


@pytest.mark.parametrize(
    ("rgb", "metres"),
    [
        ((0, 0, 0), 0.0),
        ((255, 255, 255), 1000.0),
        ((0, 0, 128), 1000 * 128 * 65536 / (2**24 - 1)),
        ((1, 2, 0), 1000 * 513 / (2**24 - 1)),
    ],
)
def test_depth_is_a_share_of_a_kilometre_in_24_bits(rgb, metres):
    assert math.isclose(decode.depth(shot(pixels(*rgb)))[0, 0], metres, rel_tol=1e-6)


@given(st.floats(0, 1000))
def test_depth_comes_back_to_a_tenth_of_a_millimetre(metres):
    coded = decode.encode_depth(np.array([[metres]]))
    assert abs(decode.depth(shot(coded))[0, 0] - metres) < 1e-4


def test_a_pixel_is_placed_by_a_pinhole_in_carlas_axes():
    """90 degrees over 4 pixels: the focal length is 2 pixels. At 10 m, the pixel whose centre is
    1.5 to the right of the middle and 0.5 above it is 7.5 m right and 2.5 m up."""
    places = decode.points(shot(np.zeros((4, 4, 4), np.uint8)), np.full((4, 4), 10.0))
    assert np.allclose(places[1, 3], (10.0, 7.5, 2.5))


def test_a_matrix_takes_a_place_to_the_world():
    """A quarter turn to the right (yaw 90: x to y, y to -x), two metres up."""
    turned = ((0, -1, 0, 5), (1, 0, 0, 6), (0, 0, 1, 2), (0, 0, 0, 1))
    places = decode.points(shot(np.zeros((2, 2, 4), np.uint8), turned), np.full((2, 2), 10.0))
    assert np.allclose(places[0, 1], (5 - 5.0, 6 + 10.0, 2 + 5.0))


@given(st.integers(0, 65535), st.integers(0, 255))
@settings(max_examples=30)
def test_numbers_and_tags_survive_their_bytes(number, tag):
    one = np.array([[number]], np.uint32)
    coded = shot(decode.bgra(np.array([[tag]], np.uint32), one & 255, one >> 8))
    assert decode.instances(coded)[0, 0] == number
    assert decode.tags(coded)[0, 0] == tag


def test_pixels_belong_to_the_actor_whose_box_they_lie_in():
    """Half a metre (with slack) to each side at 10 m, where a pixel of 16 at 90 degrees is 1.25 m:
    the pixel centres at -0.625 and 0.625 m are out, so the actor is moved onto one."""
    ((actor, shown),) = decode.seen_on_carriageway(wall([person(1, 10.0, 0.625)]))
    assert actor.id == 1
    # Columns: 0.625 m is pixel 8 alone. Rows, as heights 1 +- 0.625, 1.875...: 0.375 and 1.625 m.
    assert np.argwhere(shown).tolist() == [[7, 8], [8, 8]]


def test_only_lanes_for_cars_count():
    lanes = ("Driving", "Parking", "Sidewalk", "Median", None)
    people = [person(k, 10.0, 0.625, lane) for k, lane in enumerate(lanes)]
    assert [actor.id for actor, _ in decode.seen_on_carriageway(wall(people))] == [0, 1]


def test_a_sample_tells_what_its_sensors_show():
    sample = sample_of(wall([person(1, 10.0, 0.625), person(2, 30.0, 0.0)]), 16, min_visible=2)
    assert sample.label == "crossing"
    assert sample.image[0, 0].tolist() == [90, 80, 70]
    assert sample.boxes == [(8.0, 7.0, 1.0, 2.0)]
    assert sample.mask.sum() == sample.factors["visible"] == 2
    assert sample.instances[0, 0] == 7 + 256
    assert sample.factors["walkers"] == 2
    assert math.isclose(sample.factors["distance"], math.hypot(10.0, 0.625, 0.1))
    hidden = sample_of(wall([person(1, 10.0, 0.625)]), 16, min_visible=3)
    assert (hidden.label, hidden.boxes, hidden.factors["distance"]) == ("clear", [], None)


def test_wide_frames_are_cut_to_their_middle_and_shrunk():
    wide = wall([person(1, 10.0, 0.625)])
    for name, one in wide.shots.items():
        edge = np.zeros((16, 8, 4), np.uint8)
        wide.shots[name] = Shot(
            pixels=np.concatenate([edge, one.pixels, edge], axis=1), matrix=one.matrix,
            fov=2 * math.degrees(math.atan(2.0)),  # twice the width at the same focal length
        )  # fmt: skip
    assert sample_of(wide, 16, 2).boxes == [(8.0, 7.0, 1.0, 2.0)]
    half = sample_of(wide, 8, 1)
    assert half.image.shape == (8, 8, 3)
    assert half.image[0, 0].tolist() == [90, 80, 70]


@pytest.fixture(scope="module")
def ticks():
    """The game engine's street stands in for a server; its numbers tell who is seen."""
    stream = StagedCarla(size=64, seed=3, crossing=0.9)
    return [stream.tick() for _ in range(24)]


@pytest.mark.engine("street")
def test_geometry_finds_the_pixels_that_the_engine_numbered(ticks):
    """Two roads to the same pixels: points in boxes, and object numbers."""
    seen = 0
    for snapshot in ticks:
        numbers = decode.instances(snapshot.shots["instance"])
        for actor, shown in decode.seen_on_carriageway(snapshot):
            assert (shown == (numbers == actor.id)).all()
            seen += shown.any()
    assert seen >= 10


@pytest.mark.engine("street")
def test_the_sky_is_a_kilometre_away(ticks):
    for snapshot in ticks:
        sky = decode.tags(snapshot.shots["semantic"]) == 11
        assert (decode.depth(snapshot.shots["depth"])[sky] == 1000).all()


@pytest.mark.engine("street")
def test_the_same_seed_stages_the_same_stream(ticks):
    first = ticks[0]
    again = StagedCarla(size=64, seed=3, crossing=0.9).tick()
    assert (again.shots["rgb"].pixels == first.shots["rgb"].pixels).all()
    assert again.actors == first.actors
