"""The glyphs generator as one would write it in an afternoon: Pillow's text at four times the
size."""

import math
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from raresight.generators.drawing.fonts import bundled

_SUPERSAMPLING = 4


def draw_folder(folder: Path, count: int, side: int, *, rng: np.random.Generator) -> None:
    """Draw ``count`` digits, one after the other in turn, into one subfolder a digit, as PNGs."""
    for number in range(count):
        label = str(number % 10)
        (folder / label).mkdir(parents=True, exist_ok=True)
        draw(label, side, rng).save(folder / label / f"{number:07d}.png")


def draw(label: str, side: int, rng: np.random.Generator) -> Image.Image:
    """One digit of a bundled font on paper: slanted, turned, with strokes, blur and noise."""
    large = side * _SUPERSAMPLING
    font = _font(int(rng.integers(len(bundled()))), round(rng.uniform(0.7, 1.1) * large))
    ink = Image.new("L", (large, large))
    pen = ImageDraw.Draw(ink)
    x, y = large * (0.5 + rng.uniform(-0.08, 0.08, 2))
    pen.text((x, y), label, 255, font, anchor="mm", stroke_width=int(rng.integers(0, 3)))
    for _ in range(rng.integers(0, 3)):
        _stroke(pen, large, rng)
    slant, turn = rng.uniform(-0.1, 0.25), math.radians(rng.uniform(-10, 10))
    cos, sin, middle = math.cos(turn), math.sin(turn), large / 2
    a, b, c, d = cos, sin + slant, -sin, cos
    shift = (middle - a * middle - b * middle, middle - c * middle - d * middle)
    pose = (a, b, shift[0], c, d, shift[1])
    ink = ink.transform(ink.size, Image.Transform.AFFINE, pose, Image.Resampling.BILINEAR)
    share = np.asarray(ink.resize((side, side), Image.Resampling.BOX), float)[..., None] / 255
    paper, black = _colour(rng, 190, 256), _colour(rng, 0, 90)
    picture = Image.fromarray((paper + share * (black - paper)).astype(np.uint8))
    blurred = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.7)))
    noise = rng.uniform(0, 8) * rng.standard_normal((side, side, 3))
    return Image.fromarray(np.clip(np.asarray(blurred) + noise, 0, 255).astype(np.uint8))


@cache
def _font(which: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(bundled()[which], size)


def _stroke(pen: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    x, y = rng.uniform(0, side, 2)
    length, turn = rng.uniform(0.1, 0.5) * side, rng.uniform(0, math.pi)
    end = (x + length * math.cos(turn), y + length * math.sin(turn))
    pen.line([(x, y), end], fill=255, width=round(rng.uniform(0.01, 0.05) * side))


def _colour(rng: np.random.Generator, low: int, high: int) -> np.ndarray:
    return rng.integers(low, high, 3).astype(float)
