"""From the amounts of two stains to the light that passes: the law of Beer and Lambert.

The loops run along rows held in a variable and use sums and products alone, so that the compiler
turns them into vector instructions, with the same bits on every processor (no fused or reordered
arithmetic is allowed).
"""

import math

import numpy as np
from numba import njit

from raresight.generators.drawing.noise import SMALL, window_row

# Optical density per channel of pure stains, each of length one. Those of Ruifrok & Johnston (2001)
# have hardly any blue in them, which makes tissue lilac and magenta; these lie near what Macenko's
# method (2009) finds in scanned slides: both stains take blue light as well.
HAEMATOXYLIN = np.array([0.56, 0.72, 0.41]) / np.linalg.norm([0.56, 0.72, 0.41])
EOSIN = np.array([0.24, 0.83, 0.49]) / np.linalg.norm([0.24, 0.83, 0.49])

BLUR_REACH = 2.5  # standard deviations at which the blur's kernel ends

_F = np.float32
_ONE, _C2, _C3, _C4, _C5 = _F(1), _F(1 / 2), _F(1 / 6), _F(1 / 24), _F(1 / 120)


@njit(cache=True, error_model="numpy")
def lay_stroma(
    fibres: np.ndarray,
    mottle: np.ndarray,
    corner: np.ndarray,
    contrast: float,
    haematoxylin: np.ndarray,
    eosin: np.ndarray,
) -> None:
    """Fill the stain planes (H, W) with connective tissue: pink fibres, and a breath of blue.

    ``fibres`` (H, W) is noise of zero mean; ``mottle`` is a small bank of unit-variance
    noise, padded to the right, whose window begins at ``corner``, row and column.
    """
    height, width = eosin.shape
    pink, blue, least = _F(0.13 * contrast), _F(0.04), _F(0.1)
    for y in range(height):
        e, h, fibre = eosin[y], haematoxylin[y], fibres[y]
        spot = mottle[(corner[0] + y) % SMALL, corner[1] % SMALL :][:width]
        for x in range(width):
            e[x] = max(least, _F(0.45) + pink * fibre[x])
            h[x] = max(_F(0.0), _F(0.17) + blue * (spot[x] + fibre[x]))


@njit(cache=True, error_model="numpy")
def transmit(
    haematoxylin: np.ndarray,
    eosin: np.ndarray,
    strength: tuple[float, float],
    hue: float,
    fall: tuple[float, float],
    planes: np.ndarray,
) -> None:
    """Fill ``planes`` (3, H, W) with light * exp(-(h * H + e * E)).

    ``haematoxylin`` h and ``eosin`` e are float32 (H, W); H and E are the stains' optical densities
    per channel times their ``strength``, turned by ``hue`` towards red (+) or blue (-). The light
    is 1 in its brightest corner and loses the shares ``fall`` from left to right and from top to
    bottom.

    The exponential is the fifth-order series of x/16, squared four times: for densities up to 5 the
    result is within 2e-5.
    """
    height, width = haematoxylin.shape
    across = np.empty(width)
    for x in range(width):
        across[x] = 1.0 + min(0.0, fall[0]) + min(0.0, fall[1]) - fall[0] * (x / width)
    light = np.empty((height, width), np.float32)
    for y in range(height):
        row, down = light[y], fall[1] * (y / height)
        for x in range(width):
            row[x] = across[x] - down
    for channel in range(3):
        tint = hue * (channel - 1)
        vh = _F(-(HAEMATOXYLIN[channel] + tint) * strength[0] / 16.0)
        ve = _F(-(EOSIN[channel] + tint) * strength[1] / 16.0)
        out = planes[channel].ravel()
        _absorb(haematoxylin.ravel(), eosin.ravel(), light.ravel(), vh, ve, out)


@njit(cache=True, error_model="numpy")
def _absorb(
    h: np.ndarray, e: np.ndarray, light: np.ndarray, vh: np.float32, ve: np.float32, out: np.ndarray
) -> None:
    for i in range(len(out)):
        t = h[i] * vh + e[i] * ve
        p = _ONE + t * (_ONE + t * (_C2 + t * (_C3 + t * (_C4 + t * _C5))))
        p = p * p
        p = p * p
        p = p * p
        p = p * p
        out[i] = light[i] * p


@njit(cache=True, error_model="numpy")
def blur(planes: np.ndarray, sigma: float) -> None:
    """Convolve each plane of ``planes`` (3, H, W) with a Gaussian in x and in y, in place.

    ``sigma`` is in pixels; the kernel ends at BLUR_REACH standard deviations and the border is
    repeated.

    Both passes shift the padded plane as one long row: what runs over its edges lands in the
    padding.
    """
    _, height, width = planes.shape
    r = math.ceil(BLUR_REACH * sigma)
    kernel = _half_gaussian(sigma, r)
    stride = width + 2 * r
    size = stride * (height + 2 * r)
    padded, rows = np.empty(size, np.float32), np.empty(size, np.float32)
    for channel in range(3):
        plane = planes[channel]
        for y in range(height + 2 * r):
            row, line = padded[y * stride :][:stride], plane[min(max(y - r, 0), height - 1)]
            row[:r] = line[0]
            _copy(line, row[r:])
            row[r + width :] = line[width - 1]
        _convolve(padded, kernel, 1, rows)
        _convolve(rows, kernel, stride, padded)
        for y in range(height):
            _copy(padded[(y + r) * stride + r :][:width], plane[y])


@njit(cache=True, error_model="numpy")
def _copy(source: np.ndarray, out: np.ndarray) -> None:
    """As ``out[:n] = source``, which the compiler makes a slower loop of."""
    for i in range(len(source)):
        out[i] = source[i]


@njit(cache=True, error_model="numpy")
def _half_gaussian(sigma: float, r: int) -> np.ndarray:
    half = np.empty(r + 1, np.float32)
    total = 1.0
    for k in range(1, r + 1):
        total += 2.0 * math.exp(-0.5 * (k / sigma) ** 2)
    for k in range(r + 1):
        half[k] = math.exp(-0.5 * (k / sigma) ** 2) / total
    return half


@njit(cache=True, error_model="numpy")
def _convolve(source: np.ndarray, kernel: np.ndarray, step: int, out: np.ndarray) -> None:
    """Fill ``out`` but for its ends; neighbours are ``step`` apart.

    The two kernels that nearly every blur has are written out, in the order of the loop: the sum
    then stays in a register, with the same bits.
    """
    reach = step * (len(kernel) - 1)
    size = len(source) - 2 * reach
    inner, centre = out[reach : reach + size], source[reach : reach + size]
    left, right = source[reach - step :][:size], source[reach + step :][:size]
    if len(kernel) == 2:
        k0, k1 = kernel
        for i in range(size):
            inner[i] = k0 * centre[i] + k1 * (left[i] + right[i])
        return
    if len(kernel) == 3:
        k0, k1, k2 = kernel
        outer_left, outer_right = source[:size], source[2 * reach :][:size]
        for i in range(size):
            near = k0 * centre[i] + k1 * (left[i] + right[i])
            inner[i] = near + k2 * (outer_left[i] + outer_right[i])
        return
    for i in range(size):
        inner[i] = kernel[0] * centre[i]
    for k in range(1, len(kernel)):
        before, after = source[reach - k * step :][:size], source[reach + k * step :][:size]
        weight = kernel[k]
        for i in range(size):
            inner[i] += weight * (before[i] + after[i])


@njit(cache=True, error_model="numpy")
def develop(
    planes: np.ndarray, grain: np.ndarray, corners: np.ndarray, amount: float, image: np.ndarray
) -> None:
    """Add sensor noise to ``planes`` (3, H, W) in [0, 1] and store them as uint8 ``image`` (H, W,
    3).

    ``grain`` is a bank of unit-variance noise, of which each channel takes the window at its row of
    ``corners`` (3, 2); ``amount`` is the noise's standard deviation in grey levels.
    """
    _, height, width = planes.shape
    levels = np.empty((3, width), np.int32)
    for y in range(height):
        for channel in range(3):
            noise = window_row(grain, corners[channel], y, width)
            _expose(planes[channel, y], noise, _F(amount), levels[channel])
        out, red, green, blue = image[y], levels[0], levels[1], levels[2]
        for x in range(width):  # apart from the arithmetic, which then runs on whole vectors
            out[x, 0], out[x, 1], out[x, 2] = red[x], green[x], blue[x]


@njit(cache=True, error_model="numpy")
def _expose(light: np.ndarray, noise: np.ndarray, amount: np.float32, levels: np.ndarray) -> None:
    """Fill ``levels`` with the nearest of 256 grey levels."""
    top, low, half = _F(255.0), _F(0.0), _F(0.5)
    for x in range(len(levels)):
        value = light[x] * top + amount * noise[x]
        levels[x] = np.int32(min(max(value, low), top) + half)
