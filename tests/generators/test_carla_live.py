"""A live CARLA server: what it is asked, and that it is left as it was."""

import numpy as np
import pytest
from carla_frames import generator
from carla_server import Server

from raresight.generators.base import Unavailable
from raresight.generators.carla import live, record
from raresight.generators.carla.live import LiveCarla
from raresight.generators.carla.record import Replay


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
