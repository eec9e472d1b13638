"""A street from a car: the class is what the frame shows, and mask, boxes and label agree."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imports import ROOT
from pydantic import ValidationError
from samples import digest

from raresight.generators import street
from raresight.generators.base import CannotDraw, Record, Unavailable
from raresight.generators.factors import contains
from raresight.generators.street import CLEAR, CROSSING, Street, StreetOptions, tags
from raresight.generators.street.meshes import SHAPES, Heap
from raresight.pipeline.core import seeds

pytestmark = pytest.mark.engine("street")

SIDE = 64
GENERATOR = Street(StreetOptions(distance=(6, 12), min_visible=8), SIDE)


def draw(label, k, generator=GENERATOR):
    record = Record(id=f"{label}-{k}", label=label)
    return generator.sample(record, seeds.rng(1, "generate", record.id))


@pytest.fixture(scope="module")
def engine():
    street._stage(SIDE)
    from raresight.generators.street import engine

    return engine


def shot(engine, heap, *, towards_sun=(0.0, 0.0, 1.0)):
    """One frame of a heap of parts, seen from the origin, in white light."""
    light = engine.Light(
        sun=(1.0, 1.0, 1.0), towards_sun=towards_sun, ambient=(0.5,) * 3, zenith=(0.2, 0.3, 0.5),
        fog=(0.5, 0.5, 0.5), density=0.0, headlights=0.0, lamps=(), lamp_strength=0.0, exposure=1.0,
    )  # fmt: skip
    view = engine.View(place=(0.0, 0.0, 0.0), heading=0.0, pitch=0.0, fov=90.0)
    return street._stage(SIDE).draw(heap.bake(), light, view)


def test_a_box_is_seen_where_and_as_large_as_geometry_says(engine):
    """90 degrees over 64 pixels: the image's half is 32 pixels wide and, at 8 m, 8 m wide."""
    heap = Heap()
    number = heap.begin(tags.CAR, (2, 8.5, 1))  # its front is 8 m ahead
    heap.add("box", (0, 0, 0), (2, 1, 2), (0.5, 0.5, 0.5))
    frame = shot(engine, heap)
    rows, columns = np.nonzero(frame.numbers == number)
    assert (columns.min(), columns.max() + 1) == (32 + 4, 32 + 12)  # 1 to 3 m to the right
    assert (rows.min(), rows.max() + 1) == (32 - 8, 32)  # 0 to 2 m up
    assert set(np.unique(frame.tags)) == {0, tags.CAR}
    assert np.abs(frame.depth[frame.numbers == number] - 8.0).max() < 0.01


def test_what_stands_in_the_sun_casts_a_shadow_on_the_ground(engine):
    """A plate 1.5 m above the ground, the sun in the right at a slope of 4 in 3: a shadow of the
    plate's size lies 1.5 * 3 / 4 m to its left."""
    plate, bare = Heap(), Heap()
    for heap in (plate, bare):
        heap.ground(tags.ROADS)
        heap.add("box", (0, 20, -1.1), (40, 60, 0.2), (0.5, 0.5, 0.5))
    plate.begin(tags.STATIC, (0, 12, 0.5))
    plate.add("box", (0, 0, 0), (4, 6, 0.1), (0.5, 0.5, 0.5))  # the row is in its shadow as a whole
    shaded, sunny = (shot(engine, h, towards_sun=(0.6, 0, 0.8)).colours for h in (plate, bare))
    row = int(32 + 32 * 1 / 12)  # 12 m ahead, 1 m below the eye
    columns = {metres: int(32 + 32 * metres / 12) for metres in (-4.5, -2.2, 0.2, 2.5)}
    darker = {m: shaded[row, c].mean() < 0.8 * sunny[row, c].mean() for m, c in columns.items()}
    assert darker == {-4.5: False, -2.2: True, 0.2: True, 2.5: False}


def test_every_object_has_a_number_of_its_own(engine):
    heap = Heap()
    for k in range(200):
        heap.begin(1 + k % 24, ((k % 20) - 9.5, 10.5, k // 20 - 4.5))
        heap.add("box", (0, 0, 0), (0.8, 1, 0.8), (0.5, 0.5, 0.5))
    frame = shot(engine, heap)
    assert set(np.unique(frame.numbers)) == set(range(201))
    for k in range(200):
        assert set(frame.tags[frame.numbers == k + 1]) == {1 + k % 24}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_face_outwards(name):
    """Each triangle's corners run anticlockwise as seen from the side its normals point to."""
    shape = SHAPES[name]
    a, b, c = (shape.points[shape.triangles[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a)
    full = np.linalg.norm(facing, axis=1) > 1e-9  # at a pole, a ring is a point
    normals = shape.normals[shape.triangles].sum(axis=1)
    assert ((facing * normals).sum(axis=1)[full] > 0).all()
    assert np.allclose(np.linalg.norm(shape.normals, axis=1), 1)


def test_only_feet_on_the_carriageway_count(engine):
    """Nobody meant to cross: whoever is there walks on a pavement, beyond the kerb."""
    from raresight.generators.street.scene import compose

    values = {"daytime": "day", "fog": 0.002, "sun_height": 40, "walkers": 8, "cars": 0.5}
    values |= {"distance": 9.0, "fov": 50}
    for k in range(20):
        assert compose(values, crossing=0, rng=np.random.default_rng(k)).on_road == {}
        crossing = compose(values, crossing=2, rng=np.random.default_rng(k))
        assert len(crossing.on_road) == 2
        assert all(abs(metres - 9.0) <= 1.0 for metres in crossing.on_road.values())


def test_somebody_hidden_behind_a_car_is_not_crossing():
    """Every scene asked for has a pedestrian on the carriageway; not every frame shows one."""
    generator = Street(StreetOptions(distance=(12, 20), cars=(1, 1), min_visible=12), SIDE)
    found = []
    for k in range(30):
        rng = np.random.default_rng(k)
        scene, frame = generator.shoot(generator.draw_factors(rng), crossing=True, rng=rng)
        pixels = max((frame.numbers == number).sum() for number in scene.on_road)
        found.append(bool(generator.crossing(scene, frame)))
        assert found[-1] == (pixels >= 12)
    assert 0 < sum(found) < 30


@given(st.integers(0, 10_000), st.sampled_from([CLEAR, CROSSING]))
@settings(max_examples=24)
def test_mask_boxes_label_and_factors_agree(k, label):
    sample = draw(label, k)
    assert sample.label == label
    assert sample.image.shape == (SIDE, SIDE, 3)
    assert sample.depth.shape == sample.instances.shape == sample.mask.shape == (SIDE, SIDE)
    assert set(sample.factors) == set(GENERATOR.factors)
    for name in ("fog", "walkers", "cars", "fov", "noise"):
        assert contains(getattr(GENERATOR.config, name), sample.factors[name]), name
    assert sample.factors["daytime"] in GENERATOR.config.daytimes
    assert sample.factors["visible"] == sample.mask.sum()
    if label == CLEAR:
        assert sample.mask.sum() == 0
        assert sample.boxes == []
        assert sample.factors["distance"] is None
    else:
        assert 5 <= sample.factors["distance"] <= 13
        assert sample.mask.sum() >= 8
        assert len(set(sample.instances[sample.mask == 1])) == len(sample.boxes)
    boxed = np.zeros_like(sample.mask)
    for x, y, width, height in sample.boxes:
        boxed[int(y) : int(y + height), int(x) : int(x + width)] = 1
    assert not (sample.mask & ~boxed & 1).any()
    assert 0.3 <= sample.depth.min() < 10 < sample.depth.max() <= 150.001


def test_the_same_record_gives_the_same_bytes_in_any_order_and_size():
    """Another size in between builds another stage, which must not draw into this one."""
    keys = [(label, k) for label in (CLEAR, CROSSING) for k in range(3)]
    first = {key: digest(draw(*key)) for key in keys}
    draw(CLEAR, 0, Street(StreetOptions(), 32))
    again = {key: digest(draw(*key)) for key in reversed(keys)}
    assert first == again
    assert len(set(first.values())) == len(keys)


def test_another_process_draws_the_same_bytes_from_its_first_frame_on():
    code = (
        "import sys; sys.path[:0] = ['tests/generators', 'tests']\n"
        "from samples import digest\n"
        "from test_street import draw\nprint(digest(draw('crossing', 0)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(draw(CROSSING, 0))


def test_daytimes_come_as_often_as_their_weights():
    """Binomial: 400 draws at a share of .5 stay within five standard errors, .125."""
    generator = Street(StreetOptions(daytimes={"day": 1, "night": 1, "dusk": 0}), SIDE)
    drawn = [generator.draw_factors(np.random.default_rng(k))["daytime"] for k in range(400)]
    assert set(drawn) == {"day", "night"}
    assert abs(drawn.count("day") / 400 - 0.5) < 0.125


def test_night_is_darker_than_day():
    by = {
        time: Street(StreetOptions(daytimes={time: 1.0}), SIDE) for time in ("day", "dusk", "night")
    }
    grey = {
        time: np.mean([draw(CLEAR, k, one).image.mean() for k in range(6)])
        for time, one in by.items()
    }
    assert grey["night"] < 0.9 * grey["dusk"] < 0.9 * grey["day"]


def test_a_class_that_does_not_come_about_is_given_up_with_advice():
    generator = Street(StreetOptions(min_visible=SIDE * SIDE, max_tries=2), SIDE)
    with pytest.raises(CannotDraw, match=r"'crossing' in 2 tries .* `min_visible`"):
        draw(CROSSING, 0, generator)


def test_a_black_frame_is_refused(monkeypatch, engine):
    stage = street._stage(SIDE)
    blank = np.zeros((SIDE, SIDE), np.uint16)
    frame = engine.Frame(
        colours=np.zeros((SIDE, SIDE, 3), np.uint8), numbers=blank, tags=blank, depth=blank
    )
    monkeypatch.setattr(stage, "_read", lambda: frame)
    with pytest.raises(Unavailable, match="street, record clear-0: the engine drew a blank frame"):
        draw(CLEAR, 0)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("daytimes", {"noon": 1.0}, "day"),
        ("daytimes", {"day": 0.0}, "weight above 0"),
        ("daytimes", {}, "weight above 0"),
        ("fog", (0, 0.1), r"within \[1e-06, 1\]"),
        ("walkers", (0, 9), r"within \[0, 8\]"),
        ("walkers", (0, 2.5), "whole"),
        ("cars", (0, 1.5), "within"),
        ("fov", (5, 50), "within"),
        ("distance", (1, 9), r"within \[4, 200\]"),
        ("max_tries", 0, "greater"),
    ],
)
def test_impossible_options_are_refused(name, value, words):
    with pytest.raises(ValidationError, match=words):
        StreetOptions(**{name: value})
