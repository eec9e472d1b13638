"""Noise that tiles: banks drawn once, of which every image takes windows of its own.

Each texture has BANKS banks, and a window of one is turned, scaled and moved anywhere in it: no
ground of an image comes again, and no two images share one. Another ``ground_set`` has none of the
banks of this one, which tells what a model makes of grounds that it has never seen.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from numba import njit
from pydantic import Field

BANK = 256  # side of a bank in pixels
SMALL = 128  # and of one for what is seen in small pieces: a dozen of them stay in the cache
BANKS = 12  # of each texture
WINDOW = 5  # numbers in [0, 1) that decide on a window: bank, row, column, turn, scale
_SCALE = (0.7, 1.3)  # pixels of the bank to one of the image

_BITS = 16
_PARTS, _REST, _PART = 1 << _BITS, (1 << _BITS) - 1, np.float32(0.5**_BITS)

GroundSet = Annotated[int, Field(ge=0, lt=2**32)]
"""Which set of texture banks is drawn from; no two sets have a bank in common."""


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


def texture(name: str, *, cells: Sequence[tuple[int, int]], size: int = BANK) -> np.ndarray:
    """Fractal noise with zero mean and unit variance, float32 (size, size), periodic in both axes.

    ``cells`` lists the octaves as (rows, columns) of their lattices; each octave weighs as much as
    the square root of its cell's area, so that coarse structure dominates. ``name`` seeds it.
    """
    rng = stream(name)
    total = np.zeros((size, size), np.float32)
    for rows, columns in cells:
        lattice = rng.random((rows, columns)) - 0.5
        total += _value_noise(lattice, size) * np.float32(1.0 / (rows * columns) ** 0.25)
    return standard(total)


def standard(field: np.ndarray) -> np.ndarray:
    """The field with zero mean and unit variance, float32."""
    field = field - field.mean(dtype=np.float64)
    return (field / field.std(dtype=np.float64)).astype(np.float32)


def grain(name: str) -> np.ndarray:
    """White Gaussian noise with unit variance, float32 (BANK, BANK)."""
    return stream(name).standard_normal((BANK, BANK), dtype=np.float32)


@lru_cache(maxsize=4)
def sensor(size: int) -> np.ndarray:
    """The grain of a camera's sensor, :func:`wrapped` for images of ``size`` pixels.

    One bank is enough: white noise has no structure that a model could learn, and each channel of
    each image begins elsewhere.
    """
    return wrapped(grain("sensor"), size)


def wrapped(bank: np.ndarray, size: int) -> np.ndarray:
    """A periodic bank continued by ``size`` to the right and down: no window of it wraps."""
    return np.ascontiguousarray(np.pad(bank, (0, size), mode="wrap"))


def which(u: float) -> int:
    """The number of the bank at quantile ``u`` in [0, 1)."""
    return int(u * BANKS)


def bank_name(texture_name: str, number: int, ground_set: int) -> str:
    """What seeds a bank: the texture, its number, and the set that it belongs to."""
    return f"{texture_name} {number} of set {ground_set}"


@dataclass(frozen=True)
class Material:
    """A texture of BANKS banks, made when they are first asked for; ``cells`` as in
    :func:`texture`."""

    name: str
    cells: tuple[tuple[int, int], ...]

    def bank(self, u: float, ground_set: int) -> np.ndarray:
        """The bank (BANK, BANK) at quantile ``u`` in [0, 1) of a set."""
        return _bank(bank_name(self.name, which(u), ground_set), self.cells)


@lru_cache(maxsize=4 * BANKS)
def _bank(name: str, cells: tuple[tuple[int, int], ...]) -> np.ndarray:
    return texture(name, cells=cells)


@njit(cache=True, error_model="numpy")
def take(bank: np.ndarray, window: np.ndarray, out: np.ndarray) -> None:
    """Fill ``out`` (H, W) with the window of a periodic ``bank`` (BANK, BANK) that ``window``
    (WINDOW,) decides on, interpolated between the bank's pixels.

    The row and column where it begins, the turn (a full circle), and how many of the bank's pixels
    one of ``out`` is wide (_SCALE).
    """
    height, width = out.shape
    flat, last = bank.ravel(), BANK - 1
    angle = 2.0 * math.pi * window[3]
    step = _SCALE[0] + (_SCALE[1] - _SCALE[0]) * window[4]
    # Places in the bank in parts of its pixels: to cut off bits is to round down, below 0 too.
    right, down = int(step * math.cos(angle) * _PARTS), int(step * math.sin(angle) * _PARTS)
    row, column = int(window[1] * BANK * _PARTS), int(window[2] * BANK * _PARTS)
    for y in range(height):
        line, v, u = out[y], row + y * right, column - y * down
        for x in range(width):
            v0, u0 = v >> _BITS, u >> _BITS
            fv, fu = np.float32(v & _REST) * _PART, np.float32(u & _REST) * _PART
            upper, lower = (v0 & last) * BANK, ((v0 + 1) & last) * BANK
            left, beside = u0 & last, (u0 + 1) & last
            top = flat[upper + left] + fu * (flat[upper + beside] - flat[upper + left])
            bottom = flat[lower + left] + fu * (flat[lower + beside] - flat[lower + left])
            line[x] = top + fv * (bottom - top)
            v, u = v + down, u + right


@njit(cache=True)
def window_row(bank: np.ndarray, corner: np.ndarray, y: int, width: int) -> np.ndarray:
    """Row ``y`` of the window of a wrapped bank that begins at ``corner`` (row, column).

    A whole window would be a view with a stride, which the compiler does not turn into vectors.
    """
    return bank[corner[0] + y][corner[1] :][:width]
