"""A straight street between houses, drawn anew for every scene: what stands, lies and drives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from raresight.generators.street import tags
from raresight.generators.street.meshes import ASPHALT, GLOW, LEAVES, SKY, SLABS, WALL, Heap, Triple

KERB = 0.13  # height of the pavement
_END = 62.0  # beyond, the haze and the perspective leave nothing to see
_CAR_LENGTH, _CAR_WIDTH = 4.3, 1.78


@dataclass
class Street:
    """What later parts of a scene have to know: metres from the middle of the carriageway."""

    half: float  # to the kerb
    pavement: float  # its width
    zebra: float  # how far ahead the crossing is
    cars: list[tuple[float, float]] = field(default_factory=list)
    lamps: list[Triple] = field(default_factory=list)

    def free(self, x: float, y: float) -> bool:
        """Whether nobody would stand in a car there."""
        return all(abs(x - a) > 1.25 or abs(y - b) > 2.5 for a, b in self.cars)


def build(heap: Heap, values: Mapping[str, Any], rng: np.random.Generator) -> Street:
    """Add everything but people."""
    lit = {"day": 0.0, "dusk": 0.35, "night": 0.5}[values["daytime"]]
    street = Street(
        half=rng.uniform(3.3, 4.2), pavement=rng.uniform(2.2, 3.4), zebra=rng.uniform(8, 18)
    )
    _ground(heap, street, rng)
    for side in (-1, 1):
        _houses(heap, street, side, lit, rng)
        _trees(heap, street, side, rng)
        _furniture(heap, street, side, rng)
    _lanterns(heap, street, on=lit > 0, rng=rng)
    _traffic(heap, street, values["cars"], on=lit > 0, rng=rng)
    _road_works(heap, street, rng)
    return street


def _ground(heap: Heap, street: Street, rng: np.random.Generator) -> None:
    heap.ground(tags.SKY)
    heap.add("ball", (0, 0, 0), (-280, -280, -280), (0, 0, 0), material=SKY)  # seen from inside
    heap.ground(tags.TERRAIN)
    heap.add("box", (0, 40, -0.2), (200, 220, 0.1), (0.3, 0.36, 0.22))
    heap.ground(tags.ROADS)
    asphalt = _grey(rng, 0.3, 0.44)
    heap.add("box", (0, 50, -0.05), (2 * street.half, 140, 0.1), asphalt, material=ASPHALT)
    heap.ground(tags.SIDEWALKS)
    slabs = _grey(rng, 0.5, 0.68)
    for side in (-1, 1):
        middle = side * (street.half + street.pavement / 2)
        heap.add(
            "box",
            (middle, 50, 0.015),
            (street.pavement, 140, 2 * KERB - 0.03),
            slabs,
            material=SLABS,
        )
        heap.add(
            "box",
            (side * (street.half + 0.07), 50, 0.02),
            (0.16, 140, 2 * KERB - 0.03),
            _grey(rng, 0.6, 0.72),
        )
    _markings(heap, street, rng)


def _markings(heap: Heap, street: Street, rng: np.random.Generator) -> None:
    heap.ground(tags.ROAD_LINE)
    white = _grey(rng, 0.72, 0.92)
    for y in np.arange(rng.uniform(-2, 2), _END, 4.0):
        heap.add("box", (0, y, 0), (0.14, 1.8, 0.016), white)
    if rng.random() < 0.5:
        for x in np.arange(-street.half + 0.45, street.half - 0.2, 0.95):
            heap.add("box", (x, street.zebra, 0), (0.5, 2.8, 0.018), white)


def _houses(heap: Heap, street: Street, side: int, lit: float, rng: np.random.Generator) -> None:
    y, near = -4.0, street.half + street.pavement
    while y < _END + 8:
        length, height, depth = (
            rng.uniform(6, 12),
            rng.choice((4, 6, 7, 9, 10, 13)) + rng.random(),
            9.0,
        )
        front = near + (rng.uniform(1.5, 4) if rng.random() < 0.25 else rng.uniform(0, 0.4))
        heap.begin(tags.BUILDING, (side * front, y + length / 2, 0), 0.0 if side < 0 else 180.0)
        _house(heap, length, height, depth, lit, rng)
        y += length + (rng.uniform(1, 5) if rng.random() < 0.3 else 0)


def _house(
    heap: Heap, length: float, height: float, depth: float, lit: float, rng: np.random.Generator
) -> None:
    """Its front lies in the plane x = 0 and looks towards +x."""
    plaster = _muted(rng, 0.4, 0.8)
    heap.add("box", (-depth / 2, 0, height / 2), (depth, length, height), plaster, material=WALL)
    heap.add(
        "box",
        (-depth / 2, 0, height + 0.1),
        (depth + 0.4, length + 0.2, 0.3),
        _grey(rng, 0.25, 0.6),
    )
    across = max(2, int(length / rng.uniform(1.9, 2.8)))
    columns = (np.arange(across) - (across - 1) / 2) * (length / across)
    glass, warm = (0.16, 0.2, 0.26), (0.95, 0.72, 0.4)
    for floor in range(1, int(height // 3)):
        for y in columns:
            burning = rng.random() < lit
            heap.add(
                "panel",
                (0.02, y, 3 * floor + 1.5),
                (1, 0.95, 1.35),
                warm if burning else glass,
                material=GLOW if burning else 0,
            )
            heap.add("panel", (0.03, y, 3 * floor + 0.78), (1, 1.15, 0.09), _SILL)
    shop = rng.random() < 0.5
    window = ((0.85, 0.78, 0.6), GLOW) if shop and lit else (glass, 0)
    heap.add(
        "panel", (0.02, length * 0.12, 1.35), (1, length * 0.62, 1.7), window[0], material=window[1]
    )
    heap.add("panel", (0.02, -length * 0.36, 1.1), (1, 1.0, 2.2), _muted(rng, 0.15, 0.5))
    if shop:
        heap.add(
            "box",
            (0.5, length * 0.12, 2.5),
            (1.1, length * 0.66, 0.1),
            _vivid(rng),
            turn=(0, 14, 0),
        )


_SILL = (0.62, 0.62, 0.6)


def _trees(heap: Heap, street: Street, side: int, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(0, 4)):
        x = side * (street.half + rng.uniform(0.6, 1.1))
        heap.begin(tags.VEGETATION, (x, rng.uniform(5, 45), KERB), scale=rng.uniform(0.8, 1.25))
        heap.add("tube", (0, 0, 1.1), (0.24, 0.24, 2.2), (0.33, 0.26, 0.18))
        green = np.array([0.28, 0.42, 0.16]) * rng.uniform(0.7, 1.2, 3)
        for _ in range(4):
            place = (*rng.normal(0, 0.4, 2), 2.9 + rng.uniform(-0.3, 0.8))
            heap.add(
                "ball",
                place,
                (rng.uniform(1.3, 2.1),) * 3,
                tuple(green * rng.uniform(0.85, 1.15)),
                material=LEAVES,
            )


def _furniture(heap: Heap, street: Street, side: int, rng: np.random.Generator) -> None:
    """Signs, bollards and bins on the pavement: upright, narrow, of any colour, and nobody."""
    for _ in range(rng.integers(0, 4)):
        at = (side * (street.half + rng.uniform(0.3, 0.9)), rng.uniform(6, 32), KERB)
        kind = rng.random()
        if kind < 0.4:
            heap.begin(tags.SIGN, at, rng.uniform(-15, 15))
            heap.add("tube", (0, 0, 1.1), (0.07, 0.07, 2.2), (0.5, 0.5, 0.52))
            heap.add(
                "box",
                (0, -0.05, 2.0),
                (0.6, 0.03, 0.6),
                _vivid(rng),
                turn=(0, rng.choice((0, 45)), 0),
            )
        elif kind < 0.7:
            heap.begin(tags.STATIC, at)
            heap.add("tube", (0, 0, 0.5), (0.16, 0.16, 1.0), _muted(rng, 0.15, 0.7))
            heap.add("ball", (0, 0, 1.02), (0.2, 0.2, 0.2), _vivid(rng))
        else:
            heap.begin(tags.STATIC, at, rng.uniform(0, 90))
            heap.add("box", (0, 0, 0.55), (0.5, 0.45, 1.1), _muted(rng, 0.1, 0.6))
            heap.add("box", (0, 0, 1.12), (0.54, 0.5, 0.08), _grey(rng, 0.1, 0.4))


def _lanterns(heap: Heap, street: Street, *, on: bool, rng: np.random.Generator) -> None:
    first, apart = rng.uniform(2, 10), rng.uniform(11, 15)
    for k in range(5):
        side, y = (-1, 1)[k % 2], first + k * apart
        x = side * (street.half + 0.35)
        heap.begin(tags.POLE, (x, y, KERB))
        heap.add("taper", (0, 0, 2.6), (0.16, 0.16, 5.2), (0.28, 0.3, 0.3))
        heap.add("box", (-side * 0.6, 0, 5.2), (1.3, 0.1, 0.08), (0.28, 0.3, 0.3))
        heap.add(
            "box",
            (-side * 1.15, 0, 5.13),
            (0.5, 0.22, 0.1),
            (1.0, 0.9, 0.65) if on else (0.5, 0.5, 0.5),
            material=GLOW if on else 0,
        )
        if on:
            street.lamps.append((x - side * 1.15, y, KERB + 5.0))


def _traffic(
    heap: Heap, street: Street, share: float, *, on: bool, rng: np.random.Generator
) -> None:
    """Cars parked at both kerbs, and one or two under way."""
    for side in (-1, 1):
        for y in np.arange(7 + rng.uniform(0, 4), 45, 6.0):
            if rng.random() < 0.4 * share:
                _car(
                    heap,
                    street,
                    (side * (street.half - 1.0), y + rng.uniform(-0.4, 0.4)),
                    side,
                    on=False,
                    rng=rng,
                )
    for side, nearest in ((-1, 12), (1, 16)):
        place = (side * street.half * 0.42 + rng.normal(0, 0.1), rng.uniform(nearest, 42))
        if rng.random() < share and street.free(*place):
            _car(heap, street, place, side, on=on, rng=rng)


def _car(
    heap: Heap,
    street: Street,
    place: tuple[float, float],
    side: int,
    *,
    on: bool,
    rng: np.random.Generator,
) -> None:
    """On the right they drive away from us, on the left towards us."""
    street.cars.append(place)
    heap.begin(
        tags.CAR,
        (*place, 0),
        (0.0 if side > 0 else 180.0) + rng.normal(0, 1.5),
        rng.uniform(0.92, 1.06),
    )
    paint = _grey(rng, 0.06, 0.9) if rng.random() < 0.6 else _vivid(rng)
    heap.add("box", (0, 0, 0.58), (_CAR_WIDTH, _CAR_LENGTH, 0.56), paint)
    heap.add("box", (0, 0, 0.36), (_CAR_WIDTH - 0.1, _CAR_LENGTH + 0.1, 0.2), (0.12, 0.12, 0.13))
    heap.add("box", (0, -0.25, 1.08), (_CAR_WIDTH - 0.24, 2.3, 0.46), (0.1, 0.12, 0.15))
    heap.add("box", (0, -0.25, 1.33), (_CAR_WIDTH - 0.34, 1.9, 0.08), paint)
    for x in (-0.8, 0.8):
        for y in (-1.35, 1.35):
            heap.add("tube", (x, y, 0.33), (0.66, 0.66, 0.22), (0.07, 0.07, 0.07), turn=(0, 90, 0))
        heap.add(
            "box",
            (x * 0.82, -_CAR_LENGTH / 2, 0.68),
            (0.34, 0.06, 0.16),
            (1.0, 0.1, 0.06) if on else (0.55, 0.06, 0.06),
            material=GLOW if on else 0,
        )
        heap.add(
            "box",
            (x * 0.82, _CAR_LENGTH / 2, 0.62),
            (0.34, 0.06, 0.18),
            (1.0, 0.97, 0.85) if on else (0.75, 0.75, 0.72),
            material=GLOW if on else 0,
        )
    heap.add("box", (0, -_CAR_LENGTH / 2 - 0.03, 0.5), (0.5, 0.03, 0.12), (0.85, 0.85, 0.8))


def _road_works(heap: Heap, street: Street, rng: np.random.Generator) -> None:
    """Now and then cones, a barrel or a bag on the carriageway: something there, but nobody."""
    if rng.random() > 0.3:
        return
    x, y = rng.uniform(-0.8, 0.8) * street.half, rng.uniform(8, 24)
    for _ in range(rng.integers(1, 4)):
        if street.free(x, y):
            heap.begin(tags.STATIC, (x, y, 0), rng.uniform(0, 360), rng.uniform(0.9, 1.3))
            if rng.random() < 0.6:
                heap.add("cone", (0, 0, 0.4), (0.4, 0.4, 0.8), (0.95, 0.35, 0.1))
                heap.add("taper", (0, 0, 0.42), (0.25, 0.25, 0.16), (0.9, 0.9, 0.88))
                heap.add("box", (0, 0, 0.03), (0.45, 0.45, 0.06), (0.15, 0.15, 0.15))
            else:
                heap.add("tube", (0, 0, 0.5), (0.55, 0.55, 1.0), _vivid(rng))
                heap.add("tube", (0, 0, 0.62), (0.57, 0.57, 0.2), (0.9, 0.9, 0.9))
        x, y = x + rng.uniform(-0.9, 0.9), y + rng.uniform(0.5, 2)


def _grey(rng: np.random.Generator, low: float, high: float) -> Triple:
    return (rng.uniform(low, high),) * 3


def _muted(rng: np.random.Generator, low: float, high: float) -> Triple:
    return tuple(np.clip(rng.uniform(low, high) * (1 + rng.uniform(-0.22, 0.22, 3)), 0, 1).tolist())


def _vivid(rng: np.random.Generator) -> Triple:
    return tuple(np.clip(rng.uniform(0.3, 0.75) * (1 + rng.uniform(-0.85, 0.85, 3)), 0, 1).tolist())
