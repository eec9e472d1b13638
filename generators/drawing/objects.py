"""Objects in a picture, from the number of the object that each pixel shows."""

import numpy as np

Box = tuple[float, float, float, float]


def box_around(area: np.ndarray) -> Box:
    """The smallest (x, y, width, height) in pixels around what is true of ``area`` (H, W)."""
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return float(x), float(y), float(columns[-1] + 1 - x), float(rows[-1] + 1 - y)


def boxes_of(instances: np.ndarray, numbers: list[int]) -> list[Box]:
    """A box for each of the objects ``numbers`` that is seen in ``instances`` (H, W)."""
    areas = (instances == number for number in numbers)
    return [box_around(area) for area in areas if area.any()]


def shuffled(instances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The objects in ``instances`` (H, W) numbered anew from 1, in an order that tells nothing.

    The order in which a scene was put together would: who crosses a street comes last.
    """
    numbers, where = np.unique(instances, return_inverse=True)
    anew = np.zeros(len(numbers), instances.dtype)
    objects = numbers > 0
    anew[objects] = 1 + rng.permutation(np.count_nonzero(objects))
    return anew[where].reshape(instances.shape)


def contrast(image: np.ndarray, area: np.ndarray) -> float:
    """Grey levels between the mean of ``area`` (H, W) and of the pixels within 2 of it.

    ``image`` is uint8 (H, W, 3); the sign is lost. NaN where the area fills all that is near it.
    """
    grey = image.mean(axis=2)
    near = area.copy()
    for _ in range(2):
        wide = np.pad(near, 1)
        near |= wide[2:, 1:-1] | wide[:-2, 1:-1] | wide[1:-1, 2:] | wide[1:-1, :-2]
    around = near & ~area
    return float(abs(grey[area].mean() - grey[around].mean())) if around.any() else float("nan")
