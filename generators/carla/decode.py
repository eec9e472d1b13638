"""What the bytes of CARLA's sensors mean, and which pedestrians are seen on the carriageway.

The encodings are those of CARLA's documentation (sensors reference): the semantic camera keeps the
tag in R, the instance camera the object in G and B, the depth camera the distance from its plane as
a share of 1,000 m in 24 bits, R first. Instance numbers are not the numbers of actors in every
version, so a pixel belongs to an actor where its point in space lies in the actor's box.
"""

import numpy as np

from raresight.generators.carla.record import Actor, Shot, Snapshot

PEDESTRIAN = 12  # semantic tag
FAR = 1000.0  # metres, and what the sky reads
# Kinds of lane on which somebody is in the way of cars.
CARRIAGEWAY = frozenset({"Driving", "Bidirectional", "Parking", "Biking", "Shoulder", "Stop"})

_STEPS = 2**24 - 1
_SLACK = 0.2  # metres around a box: arms and feet swing out of it


def colours(shot: Shot) -> np.ndarray:
    """uint8 (H, W, 3) in RGB."""
    return shot.pixels[..., 2::-1]


def tags(shot: Shot) -> np.ndarray:
    """Semantic tags, uint8 (H, W)."""
    return shot.pixels[..., 2]


def instances(shot: Shot) -> np.ndarray:
    """Object numbers, uint16 (H, W)."""
    return shot.pixels[..., 1] + (shot.pixels[..., 0].astype(np.uint16) << 8)


def depth(shot: Shot) -> np.ndarray:
    """Metres from the camera's plane, float32 (H, W)."""
    blue, green, red = (shot.pixels[..., k].astype(np.uint32) for k in range(3))
    steps = red + (green << 8) + (blue << 16)
    return (steps * (FAR / _STEPS)).astype(np.float32)


def encode_depth(metres: np.ndarray) -> np.ndarray:
    """The inverse of :func:`depth` as BGRA, uint8 (H, W, 4); beyond 1,000 m all is 1,000 m."""
    steps = np.rint(np.clip(metres.astype(np.float64) / FAR, 0, 1) * _STEPS).astype(np.uint32)
    return bgra(steps & 255, steps >> 8 & 255, steps >> 16)


def bgra(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> np.ndarray:
    """Three channels (H, W) as a sensor sends them, uint8 (H, W, 4)."""
    return np.stack([blue, green, red, np.full_like(red, 255)], axis=-1).astype(np.uint8)


def points(shot: Shot, metres: np.ndarray) -> np.ndarray:
    """Where in the world each pixel's surface is, float64 (H, W, 3).

    A pinhole camera: its focal length in pixels is half the width over the tangent of half the
    horizontal field of view, and pixel centres lie at halves.
    """
    height, width = metres.shape
    focal = width / 2 / np.tan(np.radians(shot.fov) / 2)
    right = (np.arange(width) + 0.5 - width / 2) / focal
    up = -(np.arange(height) + 0.5 - height / 2) / focal
    local = np.stack(np.broadcast_arrays(1.0, right[None, :], up[:, None]), axis=-1)
    return _moved(local * metres[..., None], np.array(shot.matrix))


def _moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def pixels_of(actor: Actor, places: np.ndarray) -> np.ndarray:
    """Which of the points ``places`` (..., 3) lie in the actor's box, bool (...)."""
    local = _moved(places, np.linalg.inv(np.array(actor.matrix)))
    centre, half = np.array(actor.box)
    return (np.abs(local - centre) <= half + _SLACK).all(axis=-1)


def seen_on_carriageway(snapshot: Snapshot) -> list[tuple[Actor, np.ndarray]]:
    """The pedestrians on the carriageway with the pixels that show them, bool (H, W) each."""
    people = tags(snapshot.shots["semantic"]) == PEDESTRIAN
    places = points(snapshot.shots["depth"], depth(snapshot.shots["depth"]))
    found = []
    for actor in snapshot.actors:
        if PEDESTRIAN in actor.tags and actor.lane in CARRIAGEWAY:
            found.append((actor, people & pixels_of(actor, places)))
    return found


def distance(snapshot: Snapshot, actor: Actor) -> float:
    """Metres from the camera to the actor."""
    camera, body = np.array(snapshot.shots["rgb"].matrix), np.array(actor.matrix)
    return float(np.linalg.norm(camera[:3, 3] - body[:3, 3]))
