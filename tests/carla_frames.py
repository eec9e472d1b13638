"""CARLA's frames by hand: cameras whose every pixel is known, and who stands before them."""

import numpy as np

from raresight.generators.carla import Carla, CarlaOptions, decode
from raresight.generators.carla.record import Actor, Shot, Snapshot

EYE = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


def pixels(red, green, blue):
    return np.array([[[blue, green, red, 255]]], np.uint8)


def shot(array, matrix=EYE, fov=90.0):
    return Shot(pixels=array, matrix=matrix, fov=fov)


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


def generator(folder, **options):
    return Carla(CarlaOptions(path=str(folder), min_visible=2, **options), 16)
