"""CARLA's streams: what the bytes mean, what a record keeps, and what a live server is asked."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.base import BadImages, Record, Unavailable
from generators.carla import Carla, CarlaOptions, decode, live, record, sample_of
from generators.carla.live import LiveCarla
from generators.carla.record import SENSORS, Actor, Meta, Replay, Shot, Snapshot
from generators.carla.staged import StagedCarla
from pipeline.core import seeds

EYE = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


def pixels(red, green, blue):
    return np.array([[[blue, green, red, 255]]], np.uint8)


def shot(array, matrix=EYE, fov=90.0):
    return Shot(pixels=array, matrix=matrix, fov=fov)


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


def person(number, x, y, lane="Driving"):
    """Somebody 1.8 m tall whose middle is 0.9 m above the ground."""
    matrix = ((1.0, 0, 0, x), (0, 1.0, 0, y), (0, 0, 1.0, 0.9), (0, 0, 0, 1.0))
    box = ((0.0, 0.0, 0.0), (0.3, 0.3, 0.9))
    return Actor(id=number, type_id="walker", tags=(12,), matrix=matrix, box=box, lane=lane)


def wall(actors, size=16):
    """A camera 1 m up before a wall at 10 m that is tagged `pedestrian` all over."""
    eye = ((1.0, 0, 0, 0.0), (0, 1.0, 0, 0.0), (0, 0, 1.0, 1.0), (0, 0, 0, 1.0))
    zeros = np.zeros((size, size), np.uint32)
    shots = {
        "rgb": decode.bgra(zeros + 90, zeros + 80, zeros + 70),
        "semantic": decode.bgra(zeros + 12, zeros, zeros),
        "instance": decode.bgra(zeros + 12, zeros + 7, zeros + 1),
        "depth": decode.encode_depth(np.full((size, size), 10.0)),
    }
    shots = {name: shot(array, eye) for name, array in shots.items()}
    return Snapshot(frame=3, timestamp=0.15, shots=shots, actors=tuple(actors))


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


META = Meta(
    client="test", map="Town", weather=None, fixed_delta_seconds=0.05, seed=1, width=16, height=16,
    sensors={},
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A record of five ticks; in the last two somebody crosses."""
    people = [[], [person(1, 10.0, 0.625, "Sidewalk")], [], *[[person(1, 10.0, 0.625)]] * 2]
    ticks = iter(wall(actors) for actors in people)
    stream = SimpleNamespace(meta=META, tick=lambda: next(ticks))
    record.write(stream, tmp_path / "carla", 5)
    return tmp_path / "carla"


def generator(folder, **options):
    return Carla(CarlaOptions(path=str(folder), min_visible=2, **options), 16)


def test_what_was_recorded_is_replayed(folder):
    replay = Replay(folder)
    assert (len(replay), replay.meta) == (5, META)
    original = wall([person(1, 10.0, 0.625)])
    again = [replay.tick() for _ in range(5)][-1]
    assert json.loads(json.dumps(record._row(again))) == json.loads(
        json.dumps(record._row(original))
    )
    for name in SENSORS:
        assert (again.shots[name].pixels == original.shots[name].pixels).all()
    with pytest.raises(StopIteration):
        replay.tick()


def test_a_recorded_stream_becomes_samples(folder):
    (records,) = generator(folder).streams("carla")
    assert [record.label for record in records] == ["clear"] * 3 + ["crossing"] * 2
    assert records[1].id == "carla-0000001"
    sample = generator(folder).sample(records[3], seeds.rng(1, "generate", records[3].id))
    assert (sample.label, sample.factors["map"]) == ("crossing", "Town")
    assert set(sample.factors) == set(Carla.factors)
    assert generator(folder).prevalence == {"clear": 0.6, "crossing": 0.4}


def test_ticks_can_be_thinned(folder):
    (records,) = generator(folder, every=2).streams("carla")
    assert [record.id for record in records] == ["carla-0000000", "carla-0000002", "carla-0000004"]


def test_a_missing_record_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"python -m pipeline\.stages\.carla_record"):
        generator(tmp_path / "none").streams("carla")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "depth.bgra").write_bytes(b"x"), r"depth\.bgra' holds 1 bytes; 5 ticks"),
        (lambda f: (f / "rgb.bgra").unlink(), "holds 0 bytes"),
        (lambda f: (f / "meta.json").write_text("{}"), "not a CARLA record"),
        (lambda f: (f / "ticks.jsonl").write_text("{"), "not a CARLA record"),
        (lambda f: (f / "ticks.jsonl").unlink(), "not a CARLA record"),
        (lambda f: (f / "ticks.jsonl").write_text(""), "holds no tick"),
    ],
)
def test_damaged_records_are_refused_by_name(folder, damage, words):
    damage(folder)
    with pytest.raises(BadImages, match=words):
        generator(folder).streams("carla")


def test_a_record_of_another_format_is_refused(folder):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps({**meta, "format": 2}))
    with pytest.raises(BadImages, match="format 2, not 1"):
        Replay(folder)


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


class Server:
    """The part of CARLA's client that LiveCarla uses, with a world of one street and three people.

    Sensors send frames a tick late at first, as a server's may; the settings, what is alive and
    what was asked are kept for the tests.
    """

    def __init__(self, deaf=()):
        self.alive, self.asked, self.frame = [], [], 100
        self.settings = SimpleNamespace(synchronous_mode=False, fixed_delta_seconds=None)
        self.deaf = deaf
        self.LaneType = SimpleNamespace(Any="Any")

    # module
    def Client(self, host, port):  # noqa: N802
        self.asked.append((host, port))
        return self

    def Location(self, x=0.0, y=0.0, z=0.0):  # noqa: N802
        return SimpleNamespace(x=x, y=y, z=z)

    def Transform(self, location=None):  # noqa: N802
        place = location or self.Location()
        matrix = [[1, 0, 0, place.x], [0, 1, 0, place.y], [0, 0, 1, place.z], [0, 0, 0, 1]]
        return SimpleNamespace(location=place, get_matrix=lambda: matrix)

    # client, world and map
    def __getattr__(self, name):
        if name.startswith("set_"):
            return lambda *values: self.asked.append((name, *values))
        raise AttributeError(name)

    def get_world(self):
        return self

    get_map = get_trafficmanager = get_blueprint_library = get_world
    name = "Town10HD"

    def get_client_version(self):
        return "0.9.16"

    def get_settings(self):
        return SimpleNamespace(**vars(self.settings))

    def apply_settings(self, settings):
        self.settings = settings

    def get_weather(self):
        return SimpleNamespace(**dict.fromkeys(live._WEATHER, 10.0))

    def get_spawn_points(self):
        return [self.Transform(), self.Transform()]

    def get_random_location_from_navigation(self):
        return self.Location(10.0, 0.625, 0.9)

    def get_waypoint(self, location, project_to_road, lane_type):
        assert (project_to_road, lane_type) == (False, "Any")
        return SimpleNamespace(lane_type="Driving") if abs(location.y) < 4 else None

    def filter(self, pattern):
        kinds = [SimpleNamespace(id=pattern.replace("*", "one"))]
        return [a for a in self.alive if a.type_id.startswith(pattern[:-1])] or kinds

    def get_actors(self):
        return self

    def find(self, kind):
        return SimpleNamespace(id=kind, set_attribute=lambda *pair: self.asked.append(pair))

    def spawn_actor(self, kind, where, attach_to=None):
        box = SimpleNamespace(location=self.Location(), extent=self.Location(0.3, 0.3, 0.9))
        actor = SimpleNamespace(
            id=len(self.alive) + 1, type_id=kind.id, bounding_box=box, get_transform=lambda: where,
            semantic_tags=[12] if "walker" in kind.id else [14], set_autopilot=self.asked.append,
            start=lambda: None, go_to_location=lambda _: None,
        )  # fmt: skip
        actor.destroy = lambda: self.alive.remove(actor)
        if "camera" in kind.id:
            actor.listen = lambda send: setattr(actor, "send", send)
            actor.stop = lambda: self.asked.append(("stop", kind.id))
        self.alive.append(actor)
        return actor

    def try_spawn_actor(self, kind, where):
        return self.spawn_actor(kind, where)

    def tick(self):
        self.frame += 1
        sensors = {"rgb": "rgb", "semantic": "semantic", "instance": "instance", "depth": "depth"}
        for actor in self.alive:
            if "camera" in actor.type_id and actor.type_id not in self.deaf:
                (name,) = (n for n in sensors if n in actor.type_id.split(".")[2])
                actor.send(self.image(name))
        return self.frame

    def image(self, name):
        shots = wall([]).shots
        return SimpleNamespace(
            raw_data=shots[name].pixels.tobytes(), width=16, height=16, fov=90.0, frame=self.frame,
            timestamp=self.frame * 0.05, transform=self.Transform(self.Location(0.0, 0.0, 1.0)),
        )  # fmt: skip


def connect(server, **options):
    return LiveCarla(server, host="far", port=2000, size=16, seed=5, walkers=3, **options)


def test_a_live_stream_is_recorded_and_gives_the_samples_of_its_frames(tmp_path):
    with connect(Server(), every=4) as stream:
        record.write(stream, tmp_path / "carla", 3)
        assert (stream.meta.client, stream.meta.map) == ("0.9.16", "Town10HD")
    replay = Replay(tmp_path / "carla")
    frames = [snapshot.frame for snapshot in replay]
    assert np.diff(frames).tolist() == [4, 4]
    (records,) = generator(tmp_path / "carla").streams("carla")
    assert {record.label for record in records} == {"crossing"}
    first = replay[0]
    assert [actor.type_id for actor in first.actors].count("walker.pedestrian.one") == 3
    assert {actor.lane for actor in first.actors} == {"Driving"}


def test_the_server_runs_in_step_and_is_left_as_it_was():
    server = Server()
    with connect(server):
        assert server.settings.synchronous_mode
        assert server.settings.fixed_delta_seconds == 0.05
        assert ("set_random_device_seed", 5) in server.asked
        assert ("set_pedestrians_seed", 5) in server.asked
        assert len(server.alive) == 1 + 2 * 3 + 4  # car, people with their minds, cameras
    assert not server.settings.synchronous_mode
    assert server.alive == []
    assert sum(asked[0] == "stop" for asked in server.asked if isinstance(asked, tuple)) == 4


def test_what_was_spawned_goes_when_the_rest_fails(monkeypatch):
    server = Server()
    monkeypatch.setattr(server, "find", lambda _: {}["no such blueprint"], raising=False)
    with pytest.raises(KeyError):
        connect(server)
    assert server.alive == []
    assert not server.settings.synchronous_mode


def test_no_server_is_said_with_its_address(monkeypatch):
    server = Server()

    def refuse():
        raise RuntimeError("time-out of 30000ms while waiting for the simulator")

    monkeypatch.setattr(server, "get_world", refuse)
    with pytest.raises(Unavailable, match=r"no CARLA server answers at far:2000 .*--staged"):
        connect(server)


def test_a_camera_that_sends_nothing_is_named(monkeypatch):
    monkeypatch.setattr(live, "_PATIENCE", 0.05)
    with (
        connect(Server(deaf=("sensor.camera.depth",))) as stream,
        pytest.raises(Unavailable, match="depth camera sent no frame"),
    ):
        stream.tick()


def test_records_have_ids_that_name_their_tick(folder):
    (records,) = generator(folder).streams("town-10")
    assert records[-1] == Record(id="town-10-0000004", label="crossing", path=folder)


@given(st.integers(0, 65535), st.integers(0, 255))
@settings(max_examples=30)
def test_numbers_and_tags_survive_their_bytes(number, tag):
    one = np.array([[number]], np.uint32)
    coded = shot(decode.bgra(np.array([[tag]], np.uint32), one & 255, one >> 8))
    assert decode.instances(coded)[0, 0] == number
    assert decode.tags(coded)[0, 0] == tag
