"""The tissue patch as one would write it in an afternoon: Pillow at four times the size, numpy."""

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from raresight.generators.drawing.stain import EOSIN, HAEMATOXYLIN

_SUPERSAMPLING, _CORNERS = 4, 32
_FULL = 2.5  # the amount of haematoxylin that is white on the drawing


def draw_folder(folder: Path, count: int, side: int, *, rng: np.random.Generator) -> None:
    """Draw ``count`` patches, half of them mitotic, into one subfolder a class, as PNGs."""
    for number in range(count):
        label = ("normal", "mitotic")[number % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        patch = draw(side, mitotic=label == "mitotic", rng=rng)
        patch.save(folder / label / f"{number:07d}.png")


def draw(side: int, *, mitotic: bool, rng: np.random.Generator) -> Image.Image:
    """One patch: stroma, nuclei, lookalikes, and in a mitotic one a dark plate."""
    haematoxylin = 0.1 + 0.04 * rng.standard_normal((side, side)) + _nuclei(side, mitotic, rng)
    eosin = np.maximum(0.1, 0.5 + 0.16 * _fibres(side, rng))
    hue = rng.uniform(-0.08, 0.08) * np.array([-1, 0, 1])
    density = haematoxylin[..., None] * (HAEMATOXYLIN + hue) * rng.uniform(0.8, 1.2)
    density += eosin[..., None] * (EOSIN + hue) * rng.uniform(0.7, 1.3)
    slope = np.linspace(-1, 1, side)
    light = 1 + rng.uniform(-0.08, 0.08) * slope[:, None] + rng.uniform(-0.08, 0.08) * slope
    blurred = _as_image(255 * light[..., None] * np.exp(-density)).filter(
        ImageFilter.GaussianBlur(rng.uniform(0.35, 0.7))
    )
    noise = rng.uniform(1.0, 4.0) * rng.standard_normal((side, side, 3))
    return _as_image(np.asarray(blurred) + noise)


def _nuclei(side: int, mitotic: bool, rng: np.random.Generator) -> np.ndarray:
    """The amount of haematoxylin in nuclei, float (side, side), with chromatin texture."""
    canvas = Image.new("L", (side * _SUPERSAMPLING,) * 2)
    pen = ImageDraw.Draw(canvas)
    for _ in range(round(rng.integers(12, 23) * (side / 64) ** 2)):
        stain = rng.uniform(0.45, 0.85)
        outline = _ellipse(side, rng, rng.uniform(4, 7), rng.uniform(3, 5.5))
        pen.polygon(outline, fill=_level(stain), outline=_level(1.3 * stain))
    for _ in range(rng.integers(1, 5)):
        outline = _ellipse(side, rng, rng.uniform(1.5, 5), rng.uniform(1.5, 3))
        pen.polygon(outline, fill=_level(rng.uniform(0.8, 2.0)))
    if mitotic:
        outline = _ellipse(side, rng, rng.uniform(5, 7), rng.uniform(1.5, 2.2))
        pen.polygon(outline, fill=_level(rng.uniform(1.4, 2.1)))
    small = np.asarray(canvas.resize((side, side), Image.Resampling.BOX)) * (_FULL / 255)
    return small * (1 + 0.3 * rng.standard_normal((side, side)))


def _ellipse(side: int, rng: np.random.Generator, length: float, width: float) -> list:
    """The outline of a turned ellipse somewhere on the enlarged canvas."""
    x, y = rng.uniform(0, side, 2)
    turn, t = rng.uniform(0, math.pi), np.linspace(0, 2 * math.pi, _CORNERS, endpoint=False)
    along, across = length * np.cos(t), width * np.sin(t)
    px = x + along * math.cos(turn) - across * math.sin(turn)
    py = y + along * math.sin(turn) + across * math.cos(turn)
    return (_SUPERSAMPLING * np.stack((px, py), axis=1)).ravel().tolist()


def _fibres(side: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of three scales, stretched one way, of about unit variance: float (side, side)."""
    layers = []
    for rows, columns in ((2, 4), (4, 12), (10, 32)):
        coarse = Image.fromarray(rng.standard_normal((rows, columns)).astype(np.float32))
        layers.append(np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)))
    return sum(layers) / math.sqrt(len(layers))


def _level(amount: float) -> int:
    return min(255, round(amount * 255 / _FULL))


def _as_image(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
