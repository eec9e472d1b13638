"""The exact picture of a scene, as near as a grid of points in each pixel comes to it."""

import math

import numpy as np

from benchmarks.scenes import Scene

SAMPLES = 16  # points a pixel, each way


def draw(scene: Scene, samples: int = SAMPLES) -> np.ndarray:
    """The mean colour of each pixel's points, float64 (side, side, 3) in grey levels."""
    size = scene.side * samples
    points = np.empty((size, size, 3), np.float32)
    points[:] = scene.ground
    for piece in scene.pieces:
        points[_inside(piece.outlines, scene.side, samples)] = piece.colour
    cells = points.reshape(scene.side, samples, scene.side, samples, 3)
    return 255 * cells.mean(axis=(1, 3), dtype=np.float64)


def _inside(outlines: tuple[np.ndarray, ...], side: int, samples: int) -> np.ndarray:
    """Which points lie inside, bool (side * samples, side * samples): those with an odd number of
    edges to their left."""
    size = side * samples
    y = (np.arange(size) + 0.5) / samples
    corners = np.vstack([np.hstack((o, np.roll(o, -1, axis=0))) for o in outlines])
    x0, y0, x1, y1 = corners.T[:, :, None]
    edge, row = np.nonzero((y0 <= y) != (y1 <= y))
    slope = (x1 - x0)[edge, 0] / (y1 - y0)[edge, 0]
    x = x0[edge, 0] + (y[row] - y0[edge, 0]) * slope
    crossed = np.zeros((size, size + 1), np.int16)
    np.add.at(crossed, (row, np.clip(np.ceil(x * samples - 0.5), 0, size).astype(int)), 1)
    return np.cumsum(crossed, axis=1)[:, :size] % 2 == 1


def decibels(images: list[np.ndarray], exact: list[np.ndarray]) -> float:
    """The peak signal-to-noise ratio of several images (0 to 255) together."""
    errors = [np.square(a - b).mean() for a, b in zip(images, exact, strict=True)]
    return 10 * math.log10(255**2 / np.mean(errors))
