"""A stand-in for a CARLA server: the street of the game engine, sent as CARLA's sensors would."""

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from raresight.generators.carla.decode import FAR, bgra, encode_depth
from raresight.generators.carla.record import SENSORS, Actor, Matrix, Meta, Shot, Snapshot
from raresight.generators.drawing.sensor import expose
from raresight.generators.street import Street, StreetOptions, tags

if TYPE_CHECKING:
    from raresight.generators.street.engine import View
    from raresight.generators.street.scene import Scene

_SECONDS = 0.05
_APART = 20  # ticks between two snapshots: every one is another place
# Panda3D: x right, y ahead, z up. CARLA: x ahead, y right, z up.
_SWAP = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]])
_TYPES = {tags.PEDESTRIAN: "walker.pedestrian.staged", tags.CAR: "vehicle.staged.car"}


class StagedCarla:
    """A stream of unrelated street scenes, in a share ``crossing`` of which somebody is meant to be
    on the carriageway."""

    def __init__(self, *, size: int, seed: int, crossing: float):
        self._street = Street(StreetOptions(distance=(6.0, 11.0), fov=(32.0, 38.0)), size)
        self._street.require()
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._crossing = crossing
        self._frame = 0
        self.meta = Meta(
            client=f"staged with panda3d {version('panda3d')}",
            map="procedural street",
            weather=None,
            fixed_delta_seconds=_SECONDS,
            seed=seed,
            width=size,
            height=size,
            sensors={
                name: {"image_size_x": str(size), "image_size_y": str(size)} for name in SENSORS
            },
        )

    def tick(self) -> Snapshot:
        """Put up another scene and take its four frames."""
        street, rng = self._street, self._rng
        values = street.draw_factors(rng)
        scene, frame = street.shoot(values, crossing=rng.random() < self._crossing, rng=rng)
        self._frame += _APART
        noisy = expose(frame.colours, noise=values["noise"], rng=rng)
        metres = np.where(frame.tags == tags.SKY, FAR, frame.depth)
        low, high = frame.numbers & 255, frame.numbers >> 8
        empty = np.zeros_like(frame.tags)
        pixels = {
            "rgb": bgra(*np.moveaxis(noisy, -1, 0)),
            "semantic": bgra(frame.tags, empty, empty),
            "instance": bgra(frame.tags, low, high),
            "depth": encode_depth(metres),
        }
        matrix = _camera(scene.view)
        shots = {
            name: Shot(pixels=one, matrix=matrix, fov=scene.view.fov)
            for name, one in pixels.items()
        }
        return Snapshot(
            frame=self._frame,
            timestamp=self._frame * _SECONDS,
            shots=shots,
            actors=_actors(scene),
        )


def _camera(view: "View") -> Matrix:
    """The camera's matrix: its axes ahead, right and up in the world, and its place."""
    heading, pitch = np.radians([view.heading, view.pitch])
    ahead = np.array(
        [-np.sin(heading) * np.cos(pitch), np.cos(heading) * np.cos(pitch), np.sin(pitch)]
    )
    right = np.array([np.cos(heading), np.sin(heading), 0.0])
    axes = np.stack([ahead, right, np.cross(right, ahead), np.array(view.place)])
    return _matrix((axes @ _SWAP.T).T)


def _matrix(columns: np.ndarray) -> Matrix:
    """Three axes and a place (3, 4) as a 4x4 matrix of plain numbers."""
    rows = np.vstack([columns, [0.0, 0.0, 0.0, 1.0]])
    return tuple(tuple(row) for row in rows.tolist())


def _actors(scene: "Scene") -> tuple[Actor, ...]:
    """People and cars, with the boxes around their vertices."""
    vertices = scene.heap.bake().vertices
    numbers = vertices[:, 10].astype(np.int64)
    actors = []
    for number, tag in enumerate(scene.heap.tags):
        if tag not in _TYPES:
            continue
        corners = vertices[numbers == number, :3].astype(np.float64) @ _SWAP.T
        low, high = corners.min(axis=0), corners.max(axis=0)
        on_road = number in scene.on_road or tag == tags.CAR
        actors.append(
            Actor(
                id=number,
                type_id=_TYPES[tag],
                tags=(tag,),
                matrix=_matrix(np.column_stack([np.eye(3), (low + high) / 2])),
                box=((0.0, 0.0, 0.0), tuple(((high - low) / 2).tolist())),
                lane="Driving" if on_road else "Sidewalk",
            )
        )
    return tuple(actors)
