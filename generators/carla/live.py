"""A live CARLA server as a stream. Written against the client's classes (0.9.16) and CARLA's
documentation; it has never met a server, since none could be had where this was made.

The server runs in step with us: it computes a tick when asked, and every sensor's frame of that
tick is waited for. On leaving, what was spawned is removed and the world's settings are put back.
"""

from collections.abc import Iterator
from queue import Empty, Queue
from types import ModuleType
from typing import Any

import numpy as np

from raresight.generators.base import Extra, Unavailable
from raresight.generators.carla.record import SENSORS, Actor, Matrix, Meta, Shot, Snapshot

EXTRA = Extra(install="raresight[carla]", modules=("carla",))

_SECONDS = 0.05
_FOV = 55
_PATIENCE = 30.0  # seconds for the server, and for a sensor's frame
_BLUEPRINTS = {
    "rgb": "sensor.camera.rgb",
    "semantic": "sensor.camera.semantic_segmentation",
    "instance": "sensor.camera.instance_segmentation",
    "depth": "sensor.camera.depth",
}
_WEATHER = (
    *("cloudiness", "precipitation", "precipitation_deposits", "wind_intensity", "fog_density"),
    *("fog_distance", "wetness", "sun_azimuth_angle", "sun_altitude_angle"),
)


class LiveCarla:
    """A car that drives itself through the server's town, with people on the pavements who cross.

    ``carla`` is the client's module, so that tests can stand in for it. Use as a context manager.
    """

    def __init__(
        self, carla: ModuleType, *, host: str, port: int, size: int, seed: int, walkers: int = 60,
        every: int = 20,
    ):  # fmt: skip
        self._carla, self._every = carla, every
        self._spawned: list[Any] = []  # the client has no types
        try:
            self._client = carla.Client(host, port)
            self._client.set_timeout(_PATIENCE)
            self._world = self._client.get_world()
        except RuntimeError as error:
            raise Unavailable(
                f"no CARLA server answers at {host}:{port} ({error}). "
                "Start one (CarlaUE4.sh -RenderOffScreen), or record without a server: --staged."
            ) from None
        self._settings = self._world.get_settings()
        self._map = self._world.get_map()
        self._queues: dict[str, Queue[Any]] = {}
        try:
            self._run_in_step(seed)
            car = self._spawn_car(seed)
            self._spawn_walkers(walkers, seed)
            sensors = self._spawn_sensors(car, size)
        except BaseException:
            self.close()
            raise
        weather = self._world.get_weather()
        self.meta = Meta(
            client=self._client.get_client_version(),
            map=self._map.name,
            weather={name: float(getattr(weather, name)) for name in _WEATHER},
            fixed_delta_seconds=_SECONDS,
            seed=seed,
            width=size,
            height=size,
            sensors=sensors,
        )

    def __enter__(self) -> "LiveCarla":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was spawned, last first, and let the server run freely again."""
        while self._spawned:
            actor = self._spawned.pop()
            if hasattr(actor, "stop"):
                actor.stop()
            actor.destroy()
        self._world.apply_settings(self._settings)

    def tick(self) -> Snapshot:
        """The frames and actors some ticks later, so that snapshots are not all alike."""
        for _ in range(self._every):
            frame = self._world.tick()
        images = {name: self._image(name, frame) for name in SENSORS}
        return Snapshot(
            frame=frame,
            timestamp=images["rgb"].timestamp,
            shots={name: shot_of(image) for name, image in images.items()},
            actors=tuple(self._actors()),
        )

    def _image(self, name: str, frame: int) -> Any:
        """The sensor's frame of that tick; earlier ones are thrown away."""
        try:
            while (image := self._queues[name].get(timeout=_PATIENCE)).frame < frame:
                pass
        except Empty:
            raise Unavailable(f"CARLA's {name} camera sent no frame {frame}.") from None
        return image

    def _run_in_step(self, seed: int) -> None:
        settings = self._world.get_settings()
        settings.synchronous_mode, settings.fixed_delta_seconds = True, _SECONDS
        self._world.apply_settings(settings)
        traffic = self._client.get_trafficmanager()
        traffic.set_synchronous_mode(True)
        traffic.set_random_device_seed(seed)
        self._world.set_pedestrians_seed(seed)
        self._world.set_pedestrians_cross_factor(0.5)

    def _spawn_car(self, seed: int) -> Any:
        places = self._map.get_spawn_points()
        kind = self._world.get_blueprint_library().filter("vehicle.*")[0]
        car = self._world.spawn_actor(kind, places[seed % len(places)])
        self._spawned.append(car)
        car.set_autopilot(True)
        return car

    def _spawn_walkers(self, count: int, seed: int) -> None:
        library = self._world.get_blueprint_library()
        kinds, mind = library.filter("walker.pedestrian.*"), library.find("controller.ai.walker")
        for k in range(count):
            if (place := self._world.get_random_location_from_navigation()) is None:
                continue
            kind = kinds[(seed + k) % len(kinds)]
            walker = self._world.try_spawn_actor(kind, self._carla.Transform(place))
            if walker is None:  # somebody stands there already
                continue
            self._spawned.append(walker)
            controller = self._world.spawn_actor(mind, self._carla.Transform(), walker)
            self._spawned.append(controller)
            self._world.tick()
            controller.start()
            controller.go_to_location(self._world.get_random_location_from_navigation())

    def _spawn_sensors(self, car: Any, size: int) -> dict[str, dict[str, str]]:
        library, attributes = self._world.get_blueprint_library(), {}
        where = self._carla.Transform(self._carla.Location(x=1.2, z=1.5))
        for name, kind in _BLUEPRINTS.items():
            blueprint = library.find(kind)
            values = {"image_size_x": str(size), "image_size_y": str(size), "fov": str(_FOV)}
            for key, value in values.items():
                blueprint.set_attribute(key, value)
            sensor = self._world.spawn_actor(blueprint, where, attach_to=car)
            self._spawned.append(sensor)
            self._queues[name] = Queue()
            sensor.listen(self._queues[name].put)
            attributes[name] = {"blueprint": kind, **values}
        return attributes

    def _actors(self) -> Iterator[Actor]:
        everyone = self._world.get_actors()
        for actor in [*everyone.filter("walker.*"), *everyone.filter("vehicle.*")]:
            box = actor.bounding_box
            yield Actor(
                id=actor.id,
                type_id=actor.type_id,
                tags=tuple(int(tag) for tag in actor.semantic_tags),
                matrix=_matrix(actor.get_transform()),
                box=(_triple(box.location), _triple(box.extent)),
                lane=self._lane(actor.get_transform().location),
            )

    def _lane(self, location: Any) -> str | None:
        """The kind of lane below a place: pavements are lanes too, meadows are none."""
        lane = self._map.get_waypoint(
            location, project_to_road=False, lane_type=self._carla.LaneType.Any
        )
        return None if lane is None else str(lane.lane_type)


def shot_of(image: Any) -> Shot:
    """What a sensor sent, as kept in a record; needs ``raw_data``, ``width``, ``height``, ``fov``
    and ``transform`` of it, as ``carla.Image`` has them."""
    pixels = np.frombuffer(image.raw_data, np.uint8).reshape(image.height, image.width, 4)
    return Shot(pixels=pixels.copy(), matrix=_matrix(image.transform), fov=float(image.fov))


def _matrix(transform: Any) -> Matrix:
    return tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in transform.get_matrix())


def _triple(vector: Any) -> tuple[float, float, float]:
    return float(vector.x), float(vector.y), float(vector.z)
