"""A camera's sensor: exposure and noise over a rendered picture."""

import numpy as np

from raresight.generators.drawing.noise import BANK, sensor


def expose(
    picture: np.ndarray, *, gain: float = 1.0, noise: float, rng: np.random.Generator
) -> np.ndarray:
    """The picture as a sensor gives it, uint8 (H, H, 3): brighter by ``gain``, with Gaussian noise
    of ``noise`` grey levels, of which colour is half."""
    size = len(picture)
    corners, bank = rng.integers(0, BANK, (4, 2)).tolist(), sensor(size)
    shared, *colours = (bank[v : v + size, u : u + size] for v, u in corners)
    speckle = np.stack(colours, axis=-1) * np.float32(0.5 * noise)
    speckle += shared[..., None] * np.float32(0.866 * noise)
    return np.clip(np.rint(picture * np.float32(gain) + speckle), 0, 255).astype(np.uint8)
