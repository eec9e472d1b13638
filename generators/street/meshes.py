"""A scene as one heap of triangles: parts are unit shapes that are placed, turned and coloured.

Everything of a scene goes to the engine as one mesh, since it costs more to manage a few hundred
nodes than to draw them. x points right, y ahead, z up; metres and degrees.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

PLAIN, ASPHALT, SLABS, WALL, LEAVES, GLOW, SKY = range(7)  # materials, as the shader knows them

# Of a vertex: position, normal, colour (linear), material, object number, semantic tag.
VERTEX = 12

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Shape:
    """A unit shape: ``points`` and ``normals`` (V, 3), ``triangles`` (T, 3)."""

    points: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray


def _box() -> Shape:
    """Side 1, around the origin."""
    points: list[np.ndarray] = []
    normals: list[np.ndarray] = []
    triangles: list[tuple[int, int, int]] = []
    for axis in range(3):
        for side in (-1, 1):
            u, v, n = np.zeros((3, 3))
            n[axis], u[(axis + 1) % 3], v[(axis + 2) % 3] = side, 1, side
            k = len(points)
            points += [(n + a * u + b * v) / 2 for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            normals += [n] * 4
            triangles += [(k, k + 1, k + 2), (k, k + 2, k + 3)]
    return Shape(np.array(points), np.array(normals), np.array(triangles))


def _panel() -> Shape:
    """A square of side 1 in the plane x = 0 that is seen from +x."""
    points = np.array([(0, -0.5, -0.5), (0, 0.5, -0.5), (0, 0.5, 0.5), (0, -0.5, 0.5)])
    normals = np.tile((1.0, 0.0, 0.0), (4, 1))
    return Shape(points, normals, np.array([(0, 1, 2), (0, 2, 3)]))


def _turned(outline: list[tuple[float, float]], *, segments: int, smooth: bool) -> Shape:
    """An outline of (radius, height) from the bottom up, turned round the z axis."""
    points: list[np.ndarray] = []
    normals: list[np.ndarray] = []
    triangles: list[np.ndarray] = []
    turn = np.linspace(0, 2 * np.pi, segments + 1)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for (r0, z0), (r1, z1) in itertools.pairwise(outline):
        k, slope = 2 * len(points) * (segments + 1), np.hypot(r1 - r0, z1 - z0)
        flat = np.array([(z1 - z0) / slope, (r0 - r1) / slope])  # outwards and up
        for r, z in ((r0, z0), (r1, z1)):
            out = np.array([r, z]) / np.hypot(r, z) if smooth else flat
            normals.append(np.column_stack([circle * out[0], np.full(len(turn), out[1])]))
        rings = [
            np.column_stack([circle * r, np.full(len(turn), z)]) for r, z in ((r0, z0), (r1, z1))
        ]
        points.append(np.concatenate(rings))
        a = k + np.arange(segments)
        b = a + segments + 1
        triangles += [np.column_stack([a, a + 1, b + 1]), np.column_stack([a, b + 1, b])]
    return Shape(np.concatenate(points), np.concatenate(normals), np.concatenate(triangles))


def _ball() -> Shape:
    """Diameter 1."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, 7)
    outline = [(abs(np.cos(angle)) / 2, np.sin(angle) / 2) for angle in angles]
    return _turned(outline, segments=9, smooth=True)


def _tube(top: float) -> Shape:
    """Height 1 around the origin, diameter 1 at the bottom and ``top`` at the top, closed."""
    outline = [(0.0, -0.5), (0.5, -0.5), (top / 2, 0.5), (0.0, 0.5)]
    return _turned(outline if top else outline[:3], segments=9, smooth=False)


SHAPES: Mapping[str, Shape] = {
    "box": _box(),
    "panel": _panel(),
    "ball": _ball(),
    "tube": _tube(1.0),
    "taper": _tube(0.6),
    "cone": _tube(0.0),
}
_NUMBER = {name: k for k, name in enumerate(SHAPES)}
_COLUMNS = 3 + 3 + 3 + 3 + 1 + 1 + 1  # place, size, turn, colour, material, object, shape


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """``vertices`` float32 (V, 12); the triangles of ``things``, which cast shadows, and of the
    ``ground``, which does not: uint32 (T, 3)."""

    vertices: np.ndarray
    things: np.ndarray
    ground: np.ndarray


@dataclass
class Heap:
    """The parts of a scene, and its objects: their semantic tag and kind by number, from 1 on.

    Object 0 is the ground: what is not counted. Parts belong to the object begun last, and their
    places are relative to its own.
    """

    tags: list[int] = field(default_factory=lambda: [0])
    _parts: list[tuple[float, ...]] = field(default_factory=list)
    _frames: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    _marks: list[tuple[int, int]] = field(default_factory=list)

    def begin(
        self, tag: int, at: Triple = (0, 0, 0), heading: float = 0.0, scale: float = 1.0
    ) -> int:
        """Begin an object that is counted; its number."""
        self.tags.append(tag)
        self._frames.append((*at, heading, scale))
        self._marks.append((len(self.tags) - 1, tag))
        return len(self.tags) - 1

    def ground(self, tag: int) -> None:
        """Go on with parts of the ground."""
        self._frames.append((0.0, 0.0, 0.0, 0.0, 1.0))
        self._marks.append((0, tag))

    def add(
        self, shape: str, at: Triple, size: Triple, colour: Triple, *,
        turn: Triple = (0.0, 0.0, 0.0), material: int = PLAIN,
    ) -> None:  # fmt: skip
        """Add a part: scaled, turned (about x, then y, then z), and moved."""
        self._parts.append(
            (*at, *size, *turn, *colour, material, len(self._frames) - 1, _NUMBER[shape])
        )

    def bake(self) -> Mesh:
        """Everything as vertices and triangles."""
        parts = np.array(self._parts, np.float64).reshape(-1, _COLUMNS)
        owner = parts[:, 13].astype(np.int64)
        linear, offset = _matrices(parts, np.array(self._frames)[owner])
        looks = np.empty((len(parts), 6))
        looks[:, :3] = np.clip(parts[:, 9:12], 0, None) ** 2.2
        looks[:, 3] = parts[:, 12]
        looks[:, 4:] = np.array(self._marks)[owner]
        vertices, things, ground, start = [], [], [], 0
        for number, shape in enumerate(SHAPES.values()):
            chosen = np.flatnonzero(parts[:, 14] == number)
            vertices.append(_laid_out(shape, linear[chosen], offset[chosen], looks[chosen]))
            first = start + np.arange(len(chosen)) * len(shape.points)
            triangles = shape.triangles[None] + first[:, None, None]
            is_thing = looks[chosen, 4] > 0
            things.append(triangles[is_thing].reshape(-1, 3))
            ground.append(triangles[~is_thing].reshape(-1, 3))
            start += len(chosen) * len(shape.points)
        return Mesh(
            vertices=np.concatenate(vertices),
            things=np.concatenate(things).astype(np.uint32),
            ground=np.concatenate(ground).astype(np.uint32),
        )


def _laid_out(
    shape: Shape, linear: np.ndarray, offset: np.ndarray, looks: np.ndarray
) -> np.ndarray:
    """The vertices of n parts of one shape, float32 (n V, 12)."""
    out = np.empty((len(linear), len(shape.points), VERTEX), np.float32)
    out[..., :3] = shape.points @ linear.transpose(0, 2, 1) + offset[:, None]
    out[..., 3:6] = shape.normals @ np.linalg.inv(linear)  # the shader makes their length 1
    out[..., 6:] = looks[:, None]
    return out.reshape(-1, VERTEX)


def _matrices(parts: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each part does to its shape: (n, 3, 3) and then (n, 3)."""
    local = _rotations(*np.radians(parts[:, 6:9]).T)
    turn = _rotations(0 * frames[:, 3], 0 * frames[:, 3], np.radians(frames[:, 3]))
    frame = turn * frames[:, 4, None, None]
    linear = frame @ (local * parts[:, None, 3:6])
    offset = (frame @ parts[:, :3, None])[..., 0] + frames[:, :3]
    return linear, offset


def _rotations(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Rz Ry Rx for angles in radians, (n, 3, 3)."""
    cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
