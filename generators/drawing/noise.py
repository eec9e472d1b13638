"""Noise that tiles: banks drawn once, of which every image takes a random window."""

import hashlib

import numpy as np
from numba import njit


def stream(name: str) -> np.random.Generator:
    """A fixed random stream for material that is the same in every data set, seeded by its name."""
    digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


@njit(cache=True)
def _value_noise(lattice: np.ndarray, size: int) -> np.ndarray:
    """Smooth interpolation of a periodic lattice, float32 (size, size).

    Written out with plain sums and products: a Fourier filter would be shorter, but its last bits
    differ from processor to processor, and with them the images.
    """
    rows, columns = lattice.shape
    out = np.empty((size, size), np.float32)
    for y in range(size):
        v = y * rows / size
        y0 = int(v)
        fy = v - y0
        fy = fy * fy * (3.0 - 2.0 * fy)
        y1 = (y0 + 1) % rows
        for x in range(size):
            u = x * columns / size
            x0 = int(u)
            fx = u - x0
            fx = fx * fx * (3.0 - 2.0 * fx)
            x1 = (x0 + 1) % columns
            top = lattice[y0, x0] * (1.0 - fx) + lattice[y0, x1] * fx
            bottom = lattice[y1, x0] * (1.0 - fx) + lattice[y1, x1] * fx
            out[y, x] = top * (1.0 - fy) + bottom * fy
    return out


def texture(name: str, *, size: int, cells: list[tuple[int, int]]) -> np.ndarray:
    """Fractal noise with zero mean and unit variance, float32 (size, size), periodic in both axes.

    ``cells`` lists the octaves as (rows, columns) of their lattices; each octave weighs as much as
    the square root of its cell's area, so that coarse structure dominates. ``name`` seeds it.
    """
    rng = stream(name)
    total = np.zeros((size, size), np.float32)
    for rows, columns in cells:
        lattice = rng.random((rows, columns)) - 0.5
        total += _value_noise(lattice, size) * np.float32(1.0 / (rows * columns) ** 0.25)
    total -= total.mean(dtype=np.float64)
    return total / np.float32(total.std(dtype=np.float64))


def grain(name: str, *, size: int) -> np.ndarray:
    """White Gaussian noise with unit variance, float32 (size, size)."""
    return stream(name).standard_normal((size, size), dtype=np.float32)


def wrapped(bank: np.ndarray, size: int) -> np.ndarray:
    """A periodic bank continued by ``size`` to the right and down: no window of it wraps."""
    return np.ascontiguousarray(np.pad(bank, (0, size), mode="wrap"))


@njit(cache=True)
def window_row(bank: np.ndarray, corner: np.ndarray, y: int, width: int) -> np.ndarray:
    """Row ``y`` of the window of a wrapped bank that begins at ``corner`` (row, column).

    A whole window would be a view with a stride, which the compiler does not turn into vectors.
    """
    return bank[corner[0] + y][corner[1] :][:width]
