"""H&E-like tissue patches in which a dividing cell is the rare find.

Both classes share everything but the label's own bodies: stroma, tens of resting nuclei, stain,
illumination, blur, noise, and the lookalikes that make the task hard. A mitotic figure is dark,
has no membrane, a ragged outline and a cleared cytoplasm; each lookalike has some of these, never
all.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator

from raresight.generators.base import Generator, Options, Record, Sample
from raresight.generators.drawing import nuclei, tissue
from raresight.generators.drawing.noise import grain, texture, wrapped
from raresight.generators.factors import (
    Conditional,
    Discrete,
    Factor,
    NonNegative,
    Pair,
    Positive,
    Uniform,
    as_factor,
    at,
    bounds,
    whole,
)  # fmt: skip

NORMAL, MITOTIC = "normal", "mitotic"

# Ranges per kind of body, in the order of nuclei.SHAPE: length and width in units of the image's
# nuclear radius, the amount of haematoxylin, chromatin contrast, membrane, raggedness (pixels),
# gap between twin bodies (radii), cleared halo (radii), and how much pinker (+) or paler (-) the
# halo's cytoplasm is.
_KINDS: Mapping[str, tuple[tuple[float, float], ...]] = {
    # resting nuclei, and the four kinds of lookalike
    "resting": (
        (0.85, 1.25), (0.65, 1.0), (0.45, 0.85), (0.15, 0.4), (0.15, 0.45), (0.0, 0.2),
        (0.0, 0.0), (0.0, 0.0), (0.0, 0.0),
    ),
    "pyknotic": (
        (0.5, 0.75), (0.45, 0.7), (1.2, 2.0), (0.0, 0.1), (0.0, 0.0), (0.0, 0.15),
        (0.0, 0.0), (0.5, 1.1), (0.1, 0.6),
    ),
    "tangential": (
        (1.1, 1.7), (0.25, 0.4), (1.0, 1.7), (0.0, 0.15), (0.0, 0.2), (0.0, 0.15),
        (0.0, 0.0), (0.0, 0.0), (0.0, 0.0),
    ),
    "clumped": (
        (0.8, 1.1), (0.5, 0.7), (0.8, 1.3), (0.15, 0.4), (0.2, 0.4), (0.0, 0.3),
        (0.3, 0.6), (0.0, 0.0), (0.0, 0.0),
    ),
    "debris": (
        (0.2, 0.45), (0.15, 0.4), (1.0, 2.0), (0.0, 0.2), (0.0, 0.0), (0.2, 0.6),
        (0.0, 0.0), (0.0, 0.0), (0.0, 0.0),
    ),
    # phases of division
    "prometaphase": (
        (0.8, 1.05), (0.65, 0.95), (1.3, 1.9), (0.1, 0.3), (0.0, 0.0), (0.9, 1.4),
        (0.0, 0.0), (0.7, 1.1), (-0.6, -0.3),
    ),
    "metaphase": (
        (0.95, 1.3), (0.28, 0.42), (1.4, 2.1), (0.05, 0.2), (0.0, 0.0), (0.7, 1.1),
        (0.0, 0.0), (0.8, 1.3), (-0.6, -0.3),
    ),
    "anaphase": (
        (0.8, 1.15), (0.2, 0.32), (1.4, 2.1), (0.05, 0.2), (0.0, 0.0), (0.6, 1.0),
        (0.45, 0.85), (0.7, 1.1), (-0.6, -0.3),
    ),
}  # fmt: skip
_NAMES = tuple(_KINDS)
_TABLE = np.array([_KINDS[name] for name in _NAMES])
_LOOKALIKES, _FIGURES = range(1, 5), range(5, 8)  # places in _NAMES

# The factors that :func:`tissue.paint` takes, in its order.
_PAINTED = (
    *("radius", "chromatin", "stroma", "haematoxylin", "eosin", "hue"),
    *("shade_x", "shade_y", "blur", "noise"),
)


def _at_least_one(value: Pair | Factor) -> Pair | Factor:
    if bounds(value)[0] < 1:
        raise ValueError("a mitotic patch holds at least 1 figure")
    return value


def _within_half(value: Pair | Factor) -> Pair | Factor:
    low, high = bounds(value)
    if low < -0.5 or high > 0.5:
        raise ValueError("is a share of the light: between -0.5 and 0.5")
    return value


Figures = Annotated[Uniform, AfterValidator(_at_least_one)]
Share = Annotated[Uniform, AfterValidator(_within_half)]


class PathologyOptions(Options):
    """Factors: ranges [low, high], of which a patch draws uniformly, or other distributions."""

    nuclei: NonNegative = (12, 22)
    radius: Positive = (4.6, 6.0)
    figures: Figures = (1, 2)
    lookalikes: NonNegative = (1, 4)
    haematoxylin: Positive = (0.8, 1.2)
    eosin: Positive = (0.7, 1.3)
    hue: Uniform = (-0.08, 0.08)
    chromatin: NonNegative = (0.7, 1.3)
    stroma: NonNegative = (0.5, 1.2)
    shade: Share = (-0.08, 0.08)
    blur: Positive = (0.35, 0.7)
    noise: NonNegative = (1.0, 4.0)


@lru_cache(maxsize=2)
def _banks(size: int) -> tissue.Banks:
    """Periodic noise that every patch takes windows of, padded so that no window of ``size`` wraps.

    Fibres that run down, the same across, fine and coarse chromatin, and the sensor's grain.
    """
    fibres = texture("stroma", size=tissue.BANK, cells=[(8, 3), (24, 8), (64, 20), (128, 64)])
    chromatin = texture("chromatin", size=tissue.BANK, cells=[(96, 96), (160, 160)])
    outline = texture("outline", size=tissue.BANK, cells=[(72, 72)])
    return (
        wrapped(fibres, size),
        wrapped(fibres.T, size),
        wrapped(chromatin, size),
        wrapped(outline, size),
        wrapped(grain("sensor", size=tissue.BANK), size),
    )


class Pathology(Generator):
    """See the module; ``options`` are ranges of factors."""

    summary = "H&E-like tissue patches; the rare class holds one or two dividing nuclei"
    options = PathologyOptions
    columns = ("mask", "boxes")
    libraries = ("numpy", "numba")
    classes = (MITOTIC, NORMAL)
    prevalence: ClassVar = {MITOTIC: 0.01, NORMAL: 0.99}
    factors: ClassVar = {
        "nuclei": ("float", "resting nuclei in a 64x64 field"),
        "radius": ("float", "mean nuclear radius in pixels"),
        "figures": ("float", "mitotic figures; 0 in the normal class"),
        "phase": ("string", "phase of the first figure"),
        "lookalikes": ("float", "pyknotic, tangential, clumped nuclei and debris"),
        "haematoxylin": ("float", "strength of the blue stain"),
        "eosin": ("float", "strength of the pink stain"),
        "hue": ("float", "turn of both stain vectors towards red (+) or blue (-)"),
        "chromatin": ("float", "contrast of chromatin texture"),
        "stroma": ("float", "contrast of the stroma's fibres"),
        "shade_x": ("float", "share of the light lost across the field, left to right"),
        "shade_y": ("float", "share of the light lost across the field, top to bottom"),
        "blur": ("float", "standard deviation of the optical blur in pixels"),
        "noise": ("float", "standard deviation of sensor noise in grey levels"),
    }

    config: PathologyOptions

    def distributions(self) -> dict[str, Factor]:
        shade, figures = as_factor(self.config.shade), as_factor(self.config.figures)
        phases = Discrete(tuple(_NAMES[kind] for kind in _FIGURES))
        return {
            **super().distributions(),
            "figures": Conditional("label", {MITOTIC: figures}, Discrete((0,))),
            "phase": Conditional("label", {MITOTIC: phases}, Discrete((None,))),
            "shade_x": shade,
            "shade_y": shade,
        }

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Draw one patch; the class decides on the figures alone."""
        values = self._draw_factors(rng.random(13).tolist(), mitotic=record.label == MITOTIC)
        kinds = self._kinds(values, rng)
        if values["figures"]:
            values["phase"] = _NAMES[kinds[-values["figures"]]]
        size, count = self.image_size, len(kinds)
        image, mask = np.empty((size, size, 3), np.uint8), np.zeros((size, size), np.uint8)
        boxes = np.empty((values["figures"], 4))
        tissue.paint(
            kinds,
            _TABLE,
            rng.random((count, nuclei.DRAWS)),
            rng.standard_normal((count, 2)),
            rng.random((count, tissue.CANDIDATES, 2)),
            rng.integers(0, tissue.BANK, 2 * tissue.WINDOWS).reshape(-1, 2),
            _banks(size),
            tuple([float(values[name]) for name in _PAINTED]),
            image,
            mask,
            boxes,
        )
        return Sample(
            image=image,
            label=record.label,
            mask=mask,
            boxes=[(x, y, width, height) for x, y, width, height in boxes.tolist()],
            factors=values,
        )

    def _draw_factors(self, u: list[float], *, mitotic: bool) -> dict[str, Any]:
        c = self.config
        return {
            "nuclei": whole(c.nuclei, u[0]),
            "radius": at(c.radius, u[1]),
            "figures": whole(c.figures, u[2]) if mitotic else 0,
            "phase": None,
            "lookalikes": whole(c.lookalikes, u[3]),
            "haematoxylin": at(c.haematoxylin, u[4]),
            "eosin": at(c.eosin, u[5]),
            "hue": at(c.hue, u[6]),
            "chromatin": at(c.chromatin, u[7]),
            "stroma": at(c.stroma, u[8]),
            "shade_x": at(c.shade, u[9]),
            "shade_y": at(c.shade, u[10]),
            "blur": at(c.blur, u[11]),
            "noise": at(c.noise, u[12]),
        }

    def _kinds(self, values: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
        """The kind of every body, in the order of drawing: figures come last, never covered."""
        fields = (self.image_size / 64) ** 2
        resting, alike = round(values["nuclei"] * fields), values["lookalikes"]
        picks = rng.random(alike + values["figures"]).tolist()
        kinds = np.zeros(resting + len(picks), np.int64)
        kinds[resting:] = [
            _pick(_LOOKALIKES if place < alike else _FIGURES, pick)
            for place, pick in enumerate(picks)
        ]
        return kinds


def _pick(kinds: range, u: float) -> int:
    """One of a range of kinds at quantile ``u`` in [0, 1)."""
    return kinds[int(u * len(kinds))]
