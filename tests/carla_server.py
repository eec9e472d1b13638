"""A CARLA server that is none."""

from types import SimpleNamespace

from carla_frames import wall

from raresight.generators.carla import live


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
            id=len(self.alive) + 1,
            type_id=kind.id,
            bounding_box=box,
            get_transform=lambda: where,
            semantic_tags=[12] if "walker" in kind.id else [14],
            set_autopilot=self.asked.append,
            start=lambda: None,
            go_to_location=lambda _: None,
        )
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
            raw_data=shots[name].pixels.tobytes(),
            width=16,
            height=16,
            fov=90.0,
            frame=self.frame,
            timestamp=self.frame * 0.05,
            transform=self.Transform(self.Location(0.0, 0.0, 1.0)),
        )
