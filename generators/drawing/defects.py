"""Surfaces and what spoils them: lightness (H, W) that a defect changes where its footprint lies.

A footprint is the share of each pixel that a defect covers. Lengths are in pixels.
"""

import math
from functools import lru_cache

import numpy as np

from raresight.generators.drawing import pen
from raresight.generators.drawing.noise import BANK, BANKS, bank_name, standard, stream, texture
from raresight.generators.drawing.outline import cover

SURFACES = ("concrete", "fabric", "metal")
DEFECTS = ("dent", "hole", "scratch", "stain")

_CORNERS = 64
_THREADS = (24, 28, 32, 36, 40)  # of a fabric from side to side of its bank


@lru_cache(maxsize=2 * len(SURFACES) * BANKS)
def surface(kind: str, number: int, ground_set: int) -> np.ndarray:
    """A periodic bank of zero mean and unit variance, float32 (BANK, BANK).

    Metal is brushed along its rows, fabric woven of threads that go over and under, concrete rough
    with pits.
    """
    make = {"metal": _metal, "fabric": _fabric, "concrete": _concrete}[kind]
    return make(bank_name(kind, number, ground_set))


def _metal(name: str) -> np.ndarray:
    return texture(name, cells=[(64, 1), (128, 3), (256, 8), (256, 32)])


def _fabric(name: str) -> np.ndarray:
    """Wide threads or narrow ones, as thick across as along or not, and roughness on them."""
    rough = texture(name, cells=[(32, 32), (128, 128), (256, 256)])
    threads = stream(f"threads of {name}").choice(_THREADS, 2)
    y, x = np.mgrid[:BANK, :BANK] * (math.pi / BANK) * threads[:, None, None]
    across, down = np.abs(np.sin(x)), np.abs(np.sin(y))
    over = np.sin(x + math.pi / 4) * np.sin(y + math.pi / 4) > 0
    return standard(np.where(over, across, down) + 0.12 * rough)


def _concrete(name: str) -> np.ndarray:
    rough = texture(name, cells=[(8, 8), (24, 24), (64, 64), (160, 160)])
    pits = texture(f"pits of {name}", cells=[(64, 64)])
    return standard(rough - 1.5 * np.maximum(0, pits - 2.0))


def blob(x: float, y: float, size: float, ragged: float, u: np.ndarray, side: int) -> np.ndarray:
    """The footprint of a closed outline around (x, y), ``size`` across; ``u`` (10,) in [0, 1)
    decides on its shape, the more so the more ``ragged`` (0 to 1) it is."""
    angle = 2 * math.pi * np.arange(_CORNERS) / _CORNERS
    radius = np.ones(_CORNERS)
    for wave in range(2, 6):
        radius += ragged * (u[wave] - 0.5) / wave * np.cos(wave * angle + 2 * math.pi * u[wave + 4])
    radius *= size / 2
    squeeze, turns = 0.6 + 0.4 * u[0], math.pi * u[1]
    across, down = radius * np.cos(angle), radius * squeeze * np.sin(angle)
    points = np.stack(
        (
            x + across * math.cos(turns) - down * math.sin(turns),
            y + across * math.sin(turns) + down * math.cos(turns),
        ),
        axis=1,
    )
    share = np.zeros((side, side))
    cover(np.hstack((points, np.roll(points, -1, axis=0))), share)
    return share


def line(x: float, y: float, length: float, width: float, u: np.ndarray, side: int) -> np.ndarray:
    """The footprint of a slightly bent line around (x, y); ``u`` (10,) decides on its course."""
    turns = math.pi * u[0]
    along = np.linspace(-0.5, 0.5, 6) * length
    aside = length * 0.12 * (u[1] - 0.5) * (1 - (np.linspace(-1, 1, 6)) ** 2)
    px = x + along * math.cos(turns) - aside * math.sin(turns)
    py = y + along * math.sin(turns) + aside * math.cos(turns)
    edges = np.stack((px[:-1], py[:-1], px[1:], py[1:]), axis=1)
    share = np.zeros((side, side))
    pen.draw(pen.measure(edges, width / 2 + 1, side), width / 2, share)
    return share


def faded(
    share: np.ndarray, x: float, y: float, length: float, fade: float, u: np.ndarray
) -> np.ndarray:
    """A footprint that is weaker towards the ends of its long axis and in places along it.

    Up to the share ``fade`` is lost: half of it by the distance from (x, y), the other half in a
    wave. ``u`` (10,) is that of :func:`line` or :func:`blob`; ``length`` is along the axis.
    """
    turns, phase = math.pi * u[0], u[8]
    rows, columns = np.indices(share.shape)
    along = ((columns - x) * math.cos(turns) + (rows - y) * math.sin(turns)) / max(1.0, length / 2)
    end = np.minimum(1.0, along**2)
    wave = 0.5 + 0.5 * np.sin(2 * math.pi * (1.5 * along + phase))
    return share * (1 - fade * (end + wave) / 2)


def _moved(share: np.ndarray, rows: int) -> np.ndarray:
    """A footprint moved down (or up, below 0); what leaves the image does not come in again."""
    out = np.zeros_like(share)
    out[max(rows, 0) : len(share) + min(rows, 0)] = share[max(-rows, 0) : len(share) - max(rows, 0)]
    return out


def scratch(light: np.ndarray, share: np.ndarray, contrast: float, u: np.ndarray) -> None:
    """A groove: bright where it catches the light, dark beside it (or the other way round)."""
    sign = 1.0 if u[9] < 0.7 else -1.0
    light += sign * contrast * share
    light -= sign * 0.4 * contrast * _moved(share, 1) * (1 - share)


def dent(light: np.ndarray, share: np.ndarray, contrast: float, u: np.ndarray) -> None:
    """A hollow, smooth to its edge: one side turns to the light, the other from it."""
    rows, columns = np.nonzero(share > 0)
    if not len(rows):
        return
    weight = share[rows, columns]
    y, x = np.average(rows, weights=weight), np.average(columns, weights=weight)
    reach = max(1.0, math.sqrt(weight.sum() / math.pi))
    turns = 2 * math.pi * u[9]
    slope = ((columns - x) * math.cos(turns) + (rows - y) * math.sin(turns)) / reach
    away = np.minimum(1.0, ((columns - x) ** 2 + (rows - y) ** 2) / reach**2)
    light[rows, columns] += 2.0 * contrast * weight * slope * (1 - away)
    light[rows, columns] -= 0.35 * contrast * weight * (1 - away)


def stain(light: np.ndarray, share: np.ndarray, contrast: float, u: np.ndarray) -> None:
    """Something spilt: it darkens the surface and leaves its texture to be seen."""
    light *= 1 - (0.7 + 0.3 * u[9]) * contrast * share


def hole(light: np.ndarray, share: np.ndarray, contrast: float, u: np.ndarray) -> None:
    """Nothing is there: dark, with an edge that catches the light on one side."""
    depth = min(1.0, 0.45 + contrast)
    light *= 1 - depth * share
    edge = _moved(share, -1) * (1 - share)
    light += 0.3 * contrast * edge


APPLY = {"dent": dent, "hole": hole, "scratch": scratch, "stain": stain}
