"""Pedestrians of a few dozen pixels: walking or waiting, tall or small, in any clothes."""

import numpy as np

from raresight.generators.street import tags
from raresight.generators.street.meshes import Heap, Triple

_SKINS = (
    (0.96, 0.80, 0.69),
    (0.87, 0.67, 0.53),
    (0.72, 0.52, 0.38),
    (0.5, 0.34, 0.24),
    (0.33, 0.23, 0.17),
)
_HAIRS = (
    (0.08, 0.06, 0.05),
    (0.25, 0.16, 0.1),
    (0.5, 0.36, 0.2),
    (0.55, 0.53, 0.5),
    (0.15, 0.1, 0.08),
)


def person(heap: Heap, at: Triple, heading: float, rng: np.random.Generator) -> int:
    """Add somebody whose feet are at ``at`` and who faces ``heading``; the object's number."""
    child = rng.random() < 0.15
    height = rng.uniform(0.62, 0.8) if child else rng.uniform(0.92, 1.1)
    number = heap.begin(tags.PEDESTRIAN, at, heading, height)
    top, (red, green, blue) = _cloth(rng), _cloth(rng)
    trousers = (0.7 * red, 0.7 * green, 0.7 * blue)
    skin, hair = (_SKINS[rng.integers(5)], _HAIRS[rng.integers(5)])
    stride = rng.uniform(8, 30) * rng.choice((-1, 1)) if rng.random() < 0.8 else rng.uniform(0, 4)
    _limbs(heap, stride, trousers, top, skin)
    coat = rng.random() < 0.3
    if coat:
        heap.add("taper", (0, 0, 1.0), (0.52, 0.36, 0.86), top)
    else:
        heap.add("taper", (0, 0, 1.14), (0.44, 0.27, 0.6), top, turn=(180, 0, 0))
    heap.add("ball", (0, 0, 1.36), (0.42, 0.25, 0.24), top)
    heap.add("ball", (0, 0.01, 1.6), (0.19, 0.22, 0.27), skin)
    heap.add(
        "ball", (0, -0.025, 1.655), (0.21, 0.23, 0.2), _cloth(rng) if rng.random() < 0.2 else hair
    )
    _luggage(heap, rng)
    return number


def _limbs(heap: Heap, stride: float, trousers: Triple, sleeves: Triple, skin: Triple) -> None:
    """Two legs and two arms, swung by ``stride`` degrees, opposite each other."""
    for side in (-1, 1):
        leg, arm = side * stride, -0.8 * side * stride
        heap.add(
            "taper",
            (0.1 * side, *_hung(0.9, 0.42, leg)),
            (0.17, 0.18, 0.88),
            trousers,
            turn=(leg + 180, 0, 0),
        )
        foot = (0.1 * side, *_hung(0.9, 0.86, leg))
        heap.add(
            "box",
            (foot[0], foot[1] + 0.05, max(foot[2], 0.04)),
            (0.1, 0.26, 0.08),
            (0.1, 0.09, 0.08),
        )
        heap.add(
            "tube",
            (0.25 * side, *_hung(1.42, 0.28, arm)),
            (0.11, 0.11, 0.58),
            sleeves,
            turn=(arm, 0, 0),
        )
        heap.add("ball", (0.25 * side, *_hung(1.42, 0.6, arm)), (0.09, 0.09, 0.12), skin)


def _hung(top: float, length: float, angle: float) -> tuple[float, float]:
    """Where (ahead, up) a limb that hangs from ``top`` has come after ``length``."""
    turn = np.radians(angle)
    return length * np.sin(turn), top - length * np.cos(turn)


def _luggage(heap: Heap, rng: np.random.Generator) -> None:
    kind = rng.random()
    if kind < 0.2:
        heap.add("box", (0, -0.2, 1.2), (0.3, 0.16, 0.42), _cloth(rng))  # on the back
    elif kind < 0.35:
        heap.add("box", (0.32, 0, 0.62), (0.1, 0.32, 0.3), _cloth(rng))  # in the hand
    elif kind < 0.41:
        heap.add("cone", (0.05, 0.1, 2.0), (1.05, 1.05, 0.26), _cloth(rng))
        heap.add("tube", (0.05, 0.1, 1.6), (0.03, 0.03, 0.9), (0.2, 0.2, 0.2))


def _cloth(rng: np.random.Generator) -> Triple:
    """A colour (sRGB): mostly dark or muted, now and then bright."""
    grey, bright = rng.uniform(0.08, 0.75), 0.9 if rng.random() < 0.2 else 0.25
    return tuple(np.clip(grey * (1 + bright * rng.uniform(-1, 1, 3)), 0.03, 0.95).tolist())
