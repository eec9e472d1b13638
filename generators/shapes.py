"""Plane shapes, one an image, on a ground with clutter, partly hidden: the shape is the class.

Nothing but the outline tells the classes apart: place, size, pose, colour, ground, clutter,
occlusion and noise are drawn alike for all of them. The covered share of each pixel is exact, so
edges are antialiased without supersampling.
"""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field

from raresight.generators.base import Generator, Options, Record, Sample
from raresight.generators.drawing import collage
from raresight.generators.drawing.noise import BANK, WINDOW, GroundSet, Material, sensor
from raresight.generators.drawing.outline import SHAPES
from raresight.generators.factors import (
    Continuous,
    Discrete,
    Factor,
    Mixture,
    Noise,
    Uniform,
    Whole,
    as_factor,
    at,
    bounds,
    whole,
    within,
)  # fmt: skip

# The factors that :func:`collage.glue` takes, in its order.
_GLUED = (
    *("size", "x", "y", "rotation", "hue", "ground_hue"),
    *("saturation", "lightness", "contrast", "occlusion", "noise"),
)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("must name each only once")
    return names


_MOTTLE = Material("mottle", ((16, 16), (40, 40), (96, 96)))


Share = Annotated[Uniform, within(0, 1)]
if TYPE_CHECKING:
    ShapeName = str  # a type checker cannot read the names from the table
else:
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
    - ``ground_set``: number of the set of texture banks that noisy grounds are taken from.
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
    noise: Noise = (0.0, 8.0)
    ground_set: GroundSet = 0


class Shapes(Generator):
    """See the module; ``options`` are the classes and the ranges of the factors.

    The mask marks the pixels of which the visible shape covers half or more; the box lies around
    them.
    """

    summary = "plane shapes with colour, pose, clutter, occlusion and noise; 2 to 15 classes"
    options = ShapesOptions
    columns = ("mask", "boxes")
    stream = 2
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

    label_factors = ("visible",)

    config: ShapesOptions

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(self.config.classes))

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
        values, side = self._draw_factors(u), self.image_size
        strokes = rng.random((int(values["clutter"]), collage.STROKE))
        window = rng.random(WINDOW)
        image, mask = np.empty((side, side, 3), np.uint8), np.empty((side, side), np.uint8)
        box, values["visible"] = collage.glue(
            SHAPES[record.label],
            tuple([float(values[name]) for name in _GLUED]),
            (values["ground"] == "gradient", values["ground"] == "noise"),
            (u[14], u[15]),
            strokes,
            (rng.random((collage.CORNERS, 2)) * BANK).astype(np.int64),
            window,
            (_MOTTLE.bank(window[0], self.config.ground_set), sensor(side)),
            image,
            mask,
        )
        boxes = (box,) if box[2] else ()
        return Sample(image=image, label=record.label, mask=mask, boxes=boxes, factors=values)

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
