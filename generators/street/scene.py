"""A scene of the street: town, people, light and camera, from its factors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.generators.street import people, town, weather
from raresight.generators.street.engine import Light, View
from raresight.generators.street.meshes import Heap


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What the engine draws, and who stands on the carriageway: object number -> distance (m)."""

    heap: Heap
    light: Light
    view: View
    on_road: Mapping[int, float]


def compose(values: Mapping[str, Any], *, crossing: int, rng: np.random.Generator) -> Scene:
    """Put up a scene with ``crossing`` people meant to be on the carriageway.

    Who is there is told by where the feet are, not by what was meant.
    """
    heap = Heap()
    street = town.build(heap, values, rng)
    feet: dict[int, tuple[float, float]] = {}
    for _ in range(values["walkers"]):
        _add(heap, feet, *_on_pavement(street, rng), town.KERB, rng)
    for _ in range(crossing):
        _add(heap, feet, *_on_carriageway(street, values["distance"], rng), 0.0, rng)
    view = View(
        place=(street.half / 2 + rng.normal(0, 0.25), 0.0, rng.uniform(1.25, 1.6)),
        heading=rng.normal(0, 0.045) * values["fov"],
        pitch=rng.uniform(-0.11, -0.04) * values["fov"],
        fov=values["fov"],
    )
    return Scene(
        heap=heap,
        light=weather.light(values, street.lamps, rng),
        view=view,
        on_road={number: y for number, (x, y) in feet.items() if abs(x) < street.half},
    )


def _add(
    heap: Heap,
    feet: dict[int, tuple[float, float]],
    place: tuple[float, float],
    heading: float,
    height: float,
    rng: np.random.Generator,
) -> None:
    feet[people.person(heap, (*place, height), heading, rng)] = place


def _on_pavement(
    street: town.Street, rng: np.random.Generator
) -> tuple[tuple[float, float], float]:
    """Where somebody walks along, or waits at the kerb and looks across."""
    side = rng.choice((-1, 1))
    if rng.random() < 0.3:
        place = side * (street.half + rng.uniform(0.25, 0.6)), street.zebra + rng.normal(0, 2)
        return (place[0], max(place[1], 5.0)), 90.0 * side + rng.normal(0, 20)
    place = side * (street.half + rng.uniform(0.3, street.pavement - 0.3)), rng.uniform(5, 34)
    return place, 180.0 * rng.integers(2) + rng.normal(0, 15)


def _on_carriageway(
    street: town.Street, distance: float, rng: np.random.Generator
) -> tuple[tuple[float, float], float]:
    """Where somebody crosses, or walks along the middle of the road; in no car."""
    heading = 90.0 * rng.choice((-1, 1)) + rng.normal(0, 15)
    if rng.random() < 0.15:
        heading += 90
    y = distance
    for _ in range(20):
        x = rng.uniform(-1, 1) * (street.half - 0.25)
        if street.free(x, y):
            break
        y = distance + rng.uniform(-1, 1)
    return (x, y), heading
