"""Scenes of plane shapes, to be drawn by several hands: a ground, and pieces laid on it in turn."""

import math
from collections.abc import Mapping
from colorsys import hls_to_rgb
from dataclasses import dataclass

import numpy as np

from raresight.generators.base import Record
from raresight.generators.drawing.outline import SHAPES
from raresight.generators.shapes import Shapes
from raresight.pipeline.core import seeds

Colour = tuple[float, float, float]  # each in [0, 1]
_BAR = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Closed outlines, each its corners (n, 2) in pixels; the inner ones are holes."""

    outlines: tuple[np.ndarray, ...]
    colour: Colour


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What lies on a plain ground of ``side`` x ``side`` pixels; later pieces hide earlier ones."""

    side: int
    ground: Colour
    pieces: tuple[Piece, ...]


def outlines(label: str) -> tuple[np.ndarray, ...]:
    """The corners of a shape's outlines in its unit frame."""
    edges, starts, stops = SHAPES[label], SHAPES[label][:, :2], SHAPES[label][:, 2:]
    onwards, backwards = stops[:-1] == starts[1:], starts[:-1] == stops[1:]  # a hole runs backwards
    ends = 1 + np.flatnonzero(~(onwards.all(axis=1) | backwards.all(axis=1)))
    return tuple(part[:, :2] for part in np.split(edges, ends))


def at_random(label: str, side: int, rng: np.random.Generator) -> Scene:
    """A shape with a few strokes behind and before it, as one would draw them in an afternoon."""
    behind, size = _strokes(side, rng), rng.uniform(0.35, 0.75) * side / 2
    x, y = rng.uniform(size, side - size, 2)
    shape = _piece(outlines(label), (x, y), rng.uniform(0, 2 * math.pi), (size, size), _any(rng))
    return Scene(side=side, ground=_any(rng), pieces=(*behind, shape, *_strokes(side, rng)))


def _strokes(side: int, rng: np.random.Generator) -> list[Piece]:
    return [
        _piece(
            (_BAR,),
            rng.uniform(0, side, 2),
            rng.uniform(0, math.pi),
            (rng.uniform(0.1, 0.35) * side / 2, rng.uniform(0.02, 0.05) * side / 2),
            _any(rng),
        )
        for _ in range(rng.integers(0, 3))
    ]


def _any(rng: np.random.Generator) -> Colour:
    return tuple(rng.uniform(0.1, 0.9, 3).tolist())


def _piece(outlines, place, angle: float, stretch, colour: Colour) -> Piece:
    cos, sin = math.cos(angle), math.sin(angle)
    turned = np.array([(cos, sin), (-sin, cos)])
    return Piece(outlines=tuple(o * stretch @ turned + place for o in outlines), colour=colour)


def drawn_by_us(label: str, side: int, seed: int) -> tuple[np.ndarray, Scene]:
    """One image of our generator without noise, and the scene that it shows.

    The scene is worked out anew from the recorded factors and the record's random stream, by what
    the options and factors are said to mean.
    """
    plain = Shapes.options(grounds=("plain",), noise=(0, 0))
    record = Record(id=label, label=label)
    sample = Shapes(plain, side).sample(record, seeds.rng(seed, "bench", record.id))
    rng = seeds.rng(seed, "bench", record.id)
    _, turns = rng.random(16)[14:]
    strokes = rng.random((int(sample.factors["clutter"]), 7))
    return sample.image, _scene(label, side, sample.factors, turns, strokes)


def _scene(
    label: str, side: int, f: Mapping[str, float], turns: float, strokes: np.ndarray
) -> Scene:
    radius, middle = f["size"] * side / 2, np.array((f["x"], f["y"])) * side
    depth, way = radius * f["occlusion"], 2 * math.pi * turns
    colour = hls_to_rgb(f["hue"] / 360, f["lightness"] + f["contrast"], f["saturation"])
    shape = _piece(outlines(label), middle, math.radians(f["rotation"]), (radius, radius), colour)
    edge = middle + (radius - depth) * np.array((math.cos(way), math.sin(way)))
    card = _piece((_BAR,), edge, way, (depth, radius), _third(f, 0.5))
    bars = [
        _piece(
            (_BAR,),
            np.array((x, y)) * side,
            math.pi * angle,
            ((0.1 + 0.25 * length) * side / 2, (0.02 + 0.03 * width) * side / 2),
            _third(f, shade),
        )
        for _, x, y, angle, length, width, shade in strokes
    ]
    behind = [bar for bar, stroke in zip(bars, strokes, strict=True) if stroke[0] < 0.5]
    before = [bar for bar, stroke in zip(bars, strokes, strict=True) if stroke[0] >= 0.5]
    ground = hls_to_rgb(f["ground_hue"] / 360, f["lightness"], f["saturation"] / 2)
    return Scene(side=side, ground=ground, pieces=(*behind, shape, card, *before))


def _third(f: Mapping[str, float], shade: float) -> Colour:
    light = f["lightness"] - f["contrast"] * (0.3 + 0.7 * shade)
    return hls_to_rgb((f["hue"] + 90 + 180 * shade) / 360, min(max(light, 0), 1), f["saturation"])
