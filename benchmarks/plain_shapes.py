"""The shapes scenario as one would write it in an afternoon: Pillow at four times the size."""

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from generators.drawing.outline import SHAPES

_SUPERSAMPLING = 4


def draw_folder(folder: Path, count: int, side: int, *, rng: np.random.Generator) -> None:
    """Draw ``count`` shapes, class by class in turn, into one subfolder a class, as PNGs."""
    names = sorted(SHAPES)
    for number in range(count):
        label = names[number % len(names)]
        (folder / label).mkdir(parents=True, exist_ok=True)
        draw(label, side, rng).save(folder / label / f"{number:07d}.png")


def draw(label: str, side: int, rng: np.random.Generator) -> Image.Image:
    """One shape on a ground with strokes before and behind it, and noise."""
    large = side * _SUPERSAMPLING
    canvas = Image.new("RGB", (large, large), _colour(rng))
    pen = ImageDraw.Draw(canvas)
    _strokes(pen, large, rng)
    size, turn = rng.uniform(0.35, 0.75) * large / 2, rng.uniform(0, 2 * math.pi)
    x, y = rng.uniform(size, large - size, 2)
    cos, sin = size * math.cos(turn), size * math.sin(turn)
    corners = [(x + u * cos - v * sin, y + u * sin + v * cos) for u, v in SHAPES[label][:, :2]]
    pen.polygon(corners, fill=_colour(rng))
    _strokes(pen, large, rng)
    small = np.asarray(canvas.resize((side, side), Image.Resampling.BOX), float)
    noise = rng.uniform(0, 8) * rng.standard_normal((side, side, 3))
    return Image.fromarray(np.clip(small + noise, 0, 255).astype(np.uint8))


def _strokes(pen: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(0, 3)):
        x, y = rng.uniform(0, side, 2)
        length, turn = rng.uniform(0.1, 0.35) * side, rng.uniform(0, math.pi)
        end = (x + length * math.cos(turn), y + length * math.sin(turn))
        pen.line([(x, y), end], fill=_colour(rng), width=round(rng.uniform(0.02, 0.05) * side))


def _colour(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(rng.integers(30, 226, 3).tolist())
