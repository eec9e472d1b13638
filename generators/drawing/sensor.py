"""A camera's lens and sensor: what they make of a rendered picture."""

import numpy as np

from raresight.generators.drawing.noise import BANK, sensor
from raresight.generators.drawing.stain import blur

LENS = 0.5  # pixels: the standard deviation of a sharp lens's blur
_DARK = 0.4  # share of the noise's variance that is there without light; the rest grows with it


def averaged(picture: np.ndarray, finer: int) -> np.ndarray:
    """A picture (finer H, finer H, 3) drawn ``finer`` times too large, at its size: uint8."""
    if finer == 1:
        return picture.copy()
    side = len(picture) // finer
    cells = picture.reshape(side, finer, side, finer, 3)
    return np.rint(cells.mean(axis=(1, 3), dtype=np.float32)).astype(np.uint8)


def expose(
    picture: np.ndarray, *, gain: float = 1.0, noise: float, rng: np.random.Generator
) -> np.ndarray:
    """The picture as a camera gives it, uint8 (H, H, 3): slightly blurred by the lens, brighter by
    ``gain``, with Gaussian noise, of which color is half.

    ``noise`` is its standard deviation in gray levels at half the light; as photons are counted,
    its variance is a constant and a part that is proportional to the light.
    """
    size = len(picture)
    planes = np.ascontiguousarray(np.moveaxis(picture, -1, 0), np.float32)
    blur(planes, LENS)
    light = np.moveaxis(planes, 0, -1) * np.float32(gain)
    corners, bank = rng.integers(0, BANK, (4, 2)).tolist(), sensor(size)
    shared, *colors = (bank[v : v + size, u : u + size] for v, u in corners)
    speckle = np.stack(colors, axis=-1) * np.float32(0.5)
    speckle += shared[..., None] * np.float32(0.866)
    share = light * np.float32(2 * (1 - _DARK) / 255) + np.float32(_DARK)
    speckle *= np.sqrt(share) * np.float32(noise)
    return np.clip(np.rint(light + speckle), 0, 255).astype(np.uint8)
