"""Plane shapes, one an image, on a ground with clutter, partly hidden: the shape is the class.

Nothing but the outline tells the classes apart: place, size, pose, colour, ground, clutter,
occlusion and noise are drawn alike for all of them. The covered share of each pixel is exact, so
edges are antialiased without supersampling.
"""

import math
from collections.abc import Mapping
from colorsys import hls_to_rgb
from functools import cached_property, lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field

from generators.base import Generator, Options, Record, Sample
from generators.drawing.canvas import lay_ground, mark, paint
from generators.drawing.noise import grain, texture, wrapped
from generators.drawing.outline import BOX, SHAPES, place
from generators.drawing.stain import develop
from generators.factors import (
    Continuous,
    Discrete,
    Factor,
    Mixture,
    NonNegative,
    Uniform,
    Whole,
    as_factor,
    at,
    bounds,
    whole,
    within,
)  # fmt: skip

_BANK = 256  # side of the periodic noise banks
_MOTTLE, _FALL = 0.05, 0.3  # lightness: deviation of a noisy ground, and fall across a gradient
_STROKE_LENGTH, _STROKE_WIDTH = (0.1, 0.35), (0.02, 0.05)  # shares of the image's side


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("must name each only once")
    return names


@lru_cache(maxsize=2)
def _banks(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Mottle for the ground, grain for the sensor; padded so that no window of ``size`` wraps."""
    mottle = texture("mottle", size=_BANK, cells=[(16, 16), (40, 40), (96, 96)])
    return wrapped(mottle, size), wrapped(grain("sensor", size=_BANK), size)


def _rgb(hue: float, lightness: float, saturation: float) -> tuple[float, float, float]:
    return hls_to_rgb(hue / 360 % 1, min(max(lightness, 0.0), 1.0), saturation)


Share = Annotated[Uniform, within(0, 1)]
ShapeName = Literal[tuple(SHAPES)]
Ground = Literal["plain", "gradient", "noise"]


class ShapesOptions(Options):
    """What may be drawn: factors (ranges [low, high] or other distributions), and lists.

    - ``classes``: two or more of the known shapes (all).
    - ``size``: diameter of the circumscribed circle, as a share of the image's side.
    - ``rotation``: degrees, clockwise.
    - ``hue`` (degrees), ``saturation`` (0 to 1): of the shape; the ground has half the saturation.
    - ``lightness`` (0 to 1): of the ground. ``contrast`` (0 to 0.5): how much lighter or darker the
      shape is.
    - ``grounds``: any of plain, gradient, noise.
    - ``clutter``: how many strokes lie about, each behind or before the shape at even odds.
    - ``occlusion`` (0 to 0.9): share of the shape's diameter that a card hides from one side.
    - ``noise``: standard deviation of the sensor's noise in grey levels.
    """

    classes: Annotated[tuple[ShapeName, ...], Field(min_length=2), AfterValidator(_each_once)] = (
        tuple(SHAPES)
    )
    size: Annotated[Uniform, within(0.05, 1)] = (0.35, 0.75)
    rotation: Annotated[Uniform, within(-360, 360)] = (0, 360)
    hue: Annotated[Uniform, within(-360, 360)] = (0, 360)
    saturation: Share = (0.0, 0.8)
    lightness: Share = (0.15, 0.85)
    contrast: Annotated[Uniform, within(0, 0.5)] = (0.2, 0.45)
    grounds: Annotated[tuple[Ground, ...], Field(min_length=1), AfterValidator(_each_once)] = (
        "plain",
        "gradient",
        "noise",
    )
    clutter: Annotated[Uniform, within(0, 100), Whole] = (0, 4)
    occlusion: Annotated[Uniform, within(0, 0.9)] = (0.0, 0.3)
    noise: NonNegative = (0.0, 8.0)


class Shapes(Generator):
    """See the module; ``options`` are the classes and the ranges of the factors.

    The mask marks the pixels of which the visible shape covers half or more.
    """

    summary = "plane shapes with colour, pose, clutter, occlusion and noise; 2 to 15 classes"
    options = ShapesOptions
    libraries = ("numpy", "numba")
    factors: ClassVar = {
        "size": ("float", "diameter of the circumscribed circle, as a share of the side"),
        "x": ("float", "centre from the left, as a share of the side"),
        "y": ("float", "centre from the top, as a share of the side"),
        "rotation": ("float", "degrees, clockwise"),
        "hue": ("float", "hue of the shape in degrees"),
        "ground_hue": ("float", "hue of the ground in degrees"),
        "saturation": ("float", "saturation of the shape; the ground has half of it"),
        "lightness": ("float", "lightness of the ground"),
        "contrast": ("float", "lightness of the shape above (+) or below (-) the ground's"),
        "ground": ("string", "plain, gradient or noise"),
        "clutter": ("float", "strokes that lie about"),
        "occlusion": ("float", "share of the shape's diameter behind a card"),
        "noise": ("float", "standard deviation of sensor noise in grey levels"),
        "visible": ("float", "share of the shape's pixels that neither card nor clutter covers"),
    }

    config: ShapesOptions

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(self.config.classes))

    @property
    def prevalence(self) -> Mapping[str, float]:
        """Shapes have no nature: each is as frequent as the others."""
        return dict.fromkeys(self.classes, 1 / len(self.classes))

    def distributions(self) -> dict[str, Factor]:
        low, _ = bounds(self.config.size)
        place = Continuous(low / 2, 1 - low / 2)
        contrast = as_factor(self.config.contrast)
        least, most = bounds(contrast)
        return {
            **super().distributions(),
            "x": place,
            "y": place,
            "ground_hue": as_factor(self.config.hue),
            "contrast": Mixture((contrast, Continuous(-most, -least)), (1, 1)),
            "ground": Discrete(self.config.grounds),
            "visible": Continuous(0, 1),
        }

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Draw one image; the class decides on the outline alone."""
        u = rng.random(16).tolist()
        values = self._draw_factors(u)
        strokes = rng.random((values["clutter"], 7)).tolist()
        image, mask, box, visible = self._render(record.label, values, strokes, u[14:], rng)
        factors = {**values, "visible": visible}
        return Sample(image=image, label=record.label, mask=mask, boxes=(box,), factors=factors)

    def _draw_factors(self, u: list[float]) -> dict[str, float | str]:
        c = self.config
        size, lightness, contrast = at(c.size, u[0]), at(c.lightness, u[6]), at(c.contrast, u[7])
        darker = lightness + contrast > 1 or (lightness >= contrast and u[8] < 0.5)
        return {
            "size": size,
            "x": at((size / 2, 1 - size / 2), u[1]),
            "y": at((size / 2, 1 - size / 2), u[2]),
            "rotation": at(c.rotation, u[3]),
            "hue": at(c.hue, u[4]),
            "ground_hue": at(c.hue, u[5]),
            "saturation": at(c.saturation, u[9]),
            "lightness": lightness,
            "contrast": -contrast if darker else contrast,
            "ground": c.grounds[int(u[10] * len(c.grounds))],
            "clutter": whole(c.clutter, u[11]),
            "occlusion": at(c.occlusion, u[12]),
            "noise": at(c.noise, u[13]),
        }

    def _render(
        self,
        label: str,
        values: Mapping[str, float | str],
        strokes: list[list[float]],
        directions: list[float],
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray, tuple[float, ...], float]:
        """The image, its mask, the box around the whole shape, and the visible share of it."""
        side = self.image_size
        planes, share, visible = self._scratch
        image, mask = np.empty((side, side, 3), np.uint8), np.empty((side, side), np.uint8)
        corners = (rng.random((4, 2)) * _BANK).astype(np.int64)
        self._draw_ground(values, directions[0], corners[0])
        for stroke in (stroke for stroke in strokes if stroke[0] < 0.5):
            self._draw_stroke(stroke, values)
        x0, y0, x1, y1 = self._draw_shape(label, values)
        visible.fill(0)
        visible[y0:y1, x0:x1] = share[y0:y1, x0:x1]
        whole_count = mark(visible, mask)
        self._draw_card(values, directions[1])
        for stroke in (stroke for stroke in strokes if stroke[0] >= 0.5):
            self._draw_stroke(stroke, values)
        count = mark(visible, mask)
        develop(planes, _banks(side)[1], corners[1:], values["noise"], image)
        return image, mask, (x0, y0, x1 - x0, y1 - y0), count / max(1, whole_count)

    @cached_property
    def _scratch(self) -> tuple[np.ndarray, ...]:
        """Buffers that are filled anew for every image."""
        side = self.image_size
        return tuple(
            np.zeros(shape, np.float32) for shape in ((3, side, side), *2 * [(side, side)])
        )

    def _draw_ground(self, values: Mapping, turns: float, corner: np.ndarray) -> None:
        colour = _rgb(values["ground_hue"], values["lightness"], values["saturation"] / 2)
        fall = _FALL if values["ground"] == "gradient" else 0.0
        depth = _MOTTLE if values["ground"] == "noise" else 0.0
        angle = 2 * math.pi * turns
        slope = (fall * math.cos(angle), fall * math.sin(angle))
        lay_ground(colour, slope, _banks(self.image_size)[0], corner, depth, self._scratch[0])

    def _draw_shape(self, label: str, values: Mapping) -> tuple[int, int, int, int]:
        lightness = values["lightness"] + values["contrast"]
        colour = _rgb(values["hue"], lightness, values["saturation"])
        radius = values["size"] * self.image_size / 2
        x, y = values["x"] * self.image_size, values["y"] * self.image_size
        edges = place(SHAPES[label], x, y, math.radians(values["rotation"]), radius, radius)
        return paint(edges, colour, *self._scratch)

    def _draw_card(self, values: Mapping, turns: float) -> None:
        """A card before the shape: it reaches in from one side of the circumscribed circle."""
        radius = values["size"] * self.image_size / 2
        depth, angle = radius * values["occlusion"], 2 * math.pi * turns
        x = values["x"] * self.image_size + (radius - depth) * math.cos(angle)
        y = values["y"] * self.image_size + (radius - depth) * math.sin(angle)
        paint(place(BOX, x, y, angle, depth, radius), self._other(values, 0.5), *self._scratch)

    def _draw_stroke(self, stroke: list[float], values: Mapping) -> None:
        """Paint a bar: (before, x, y, turns, length, width, shade), each in [0, 1)."""
        side = self.image_size
        _, x, y, turns, length, width, shade = stroke
        along, across = at(_STROKE_LENGTH, length) * side / 2, at(_STROKE_WIDTH, width) * side / 2
        edges = place(BOX, x * side, y * side, math.pi * turns, along, across)
        paint(edges, self._other(values, shade), *self._scratch)

    def _other(self, values: Mapping, shade: float) -> tuple[float, float, float]:
        """A colour that is neither the shape's nor the ground's: beyond the ground's lightness."""
        lightness = values["lightness"] - values["contrast"] * (0.3 + 0.7 * shade)
        return _rgb(values["hue"] + 90 + 180 * shade, lightness, values["saturation"])
