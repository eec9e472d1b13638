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
from raresight.generators.drawing.noise import (
    BANK,
    BANKS,
    SMALL,
    WINDOW,
    GroundSet,
    bank_name,
    sensor,
    standard,
    texture,
    which,
    wrapped,
)  # fmt: skip
from raresight.generators.factors import (
    Conditional,
    Discrete,
    Factor,
    Noise,
    NonNegative,
    Pair,
    Positive,
    Uniform,
    as_factor,
    at,
    bounds,
    whole,
    within,
)  # fmt: skip

NORMAL, MITOTIC = "normal", "mitotic"

# Ranges per kind of body, in the order of nuclei.SHAPE: length and width in units of the image's
# nuclear radius, the amount of haematoxylin, chromatin contrast, membrane, raggedness (pixels),
# gap between twin bodies (radii), cleared halo (radii; below 0: none), and how much pinker (+) or
# paler (-) the halo's cytoplasm is. No range but the phases' shapes is the rare class's alone.
_KINDS: Mapping[str, tuple[tuple[float, float], ...]] = {
    # resting nuclei, and the four kinds of lookalike
    "resting": (
        (0.75, 1.5), (0.5, 1.0), (0.4, 1.2), (0.08, 0.35), (0.0, 0.35), (0.0, 0.5),
        (0.0, 0.0), (-0.5, 0.6), (-0.6, 0.1),
    ),
    "pyknotic": (
        (0.5, 0.75), (0.45, 0.7), (1.2, 2.0), (0.0, 0.1), (0.0, 0.0), (0.0, 0.5),
        (0.0, 0.0), (0.3, 1.1), (-0.5, 0.6),
    ),
    "tangential": (
        (1.1, 1.7), (0.25, 0.4), (1.0, 1.8), (0.0, 0.15), (0.0, 0.2), (0.0, 0.5),
        (0.0, 0.0), (-0.4, 0.6), (-0.6, 0.1),
    ),
    "clumped": (
        (0.8, 1.1), (0.5, 0.7), (0.8, 1.4), (0.15, 0.4), (0.2, 0.4), (0.1, 0.7),
        (0.3, 0.6), (-0.4, 0.6), (-0.6, 0.1),
    ),
    "debris": (
        (0.2, 0.5), (0.15, 0.4), (1.0, 2.0), (0.0, 0.2), (0.0, 0.0), (0.4, 1.2),
        (0.0, 0.0), (-0.4, 0.8), (-0.6, 0.1),
    ),
    # phases of division
    "prometaphase": (
        (0.8, 1.05), (0.65, 0.95), (1.3, 1.9), (0.1, 0.3), (0.0, 0.0), (0.7, 1.2),
        (0.0, 0.0), (0.5, 1.1), (-0.6, -0.2),
    ),
    "metaphase": (
        (0.95, 1.3), (0.28, 0.42), (1.4, 2.0), (0.05, 0.2), (0.0, 0.0), (0.5, 1.0),
        (0.0, 0.0), (0.5, 1.2), (-0.6, -0.2),
    ),
    "anaphase": (
        (0.8, 1.15), (0.2, 0.32), (1.4, 2.0), (0.05, 0.2), (0.0, 0.0), (0.4, 0.9),
        (0.45, 0.85), (0.5, 1.1), (-0.6, -0.2),
    ),
}  # fmt: skip
_NAMES = tuple(_KINDS)
_TABLE = np.array([_KINDS[name] for name in _NAMES])
Four = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_LOOKALIKES, _FIGURES = range(1, 5), range(5, 8)  # places in _NAMES

# The factors that :func:`tissue.paint` takes, in its order.
_PAINTED = (
    *("radius", "chromatin", "stroma", "haematoxylin", "eosin", "hue"),
    *("shade_x", "shade_y", "blur", "noise", "crowd_x", "crowd_y"),
)


def _below_one(value: Pair | Factor) -> Pair | Factor:
    low, high = bounds(value)
    if low <= -1 or high >= 1:
        raise ValueError("must lie between -1 and 1")
    return value


Crowding = Annotated[Uniform, AfterValidator(_below_one)]
Share = Annotated[Uniform, within(-0.5, 0.5)]  # of the light
Stain = Annotated[Positive, within(0, 10)]
Contrast = Annotated[NonNegative, within(0, 10)]


class PathologyOptions(Options):
    """Factors: ranges [low, high], of which a patch draws uniformly, or other distributions.

    Each is held to what a patch can show: :class:`Pathology` says what they are measured in.
    """

    nuclei: Annotated[NonNegative, within(0, 500)] = (12, 24)
    radius: Annotated[Positive, within(1, 64)] = (4.6, 6.0)
    figures: Annotated[Uniform, within(1, 20)] = (1, 2)
    lookalikes: Annotated[NonNegative, within(0, 100)] = (1, 4)
    crowding: Crowding = (-0.7, 0.7)
    haematoxylin: Stain = (1.3, 2.3)
    eosin: Stain = (0.9, 1.9)
    hue: Annotated[Uniform, within(-1, 1)] = (-0.05, 0.05)
    chromatin: Contrast = (0.7, 1.3)
    stroma: Contrast = (0.5, 1.5)
    shade: Share = (-0.08, 0.08)
    blur: Annotated[Positive, within(0.05, 10)] = (0.35, 0.7)
    noise: Noise = (1.0, 4.0)
    ground_set: GroundSet = 0


@lru_cache(maxsize=2 * BANKS)
def _fibres(number: int, ground_set: int) -> np.ndarray:
    """A bank of connective tissue, along whose rows fibers run: broad bands, and fine threads where
    a second field passes through 0."""
    name = bank_name("stroma", number, ground_set)
    bands = texture(name, cells=[(16, 6), (32, 12), (64, 20), (128, 64)])
    field = texture(f"threads of {name}", cells=[(32, 10), (64, 24)])
    threads = np.maximum(0, 1 - np.abs(field) / np.float32(0.25))
    return standard(bands + np.float32(1.5) * threads)


@lru_cache(maxsize=2 * BANKS)
def _chromatin(number: int, ground_set: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Banks of fine and coarse grain within nuclei, (SMALL, SMALL + size): no row of a window of
    ``size`` wraps."""
    fine = texture(
        bank_name("chromatin", number, ground_set), cells=[(48, 48), (80, 80)], size=SMALL
    )
    coarse = texture(bank_name("outline", number, ground_set), cells=[(36, 36)], size=SMALL)
    return wrapped(fine, size)[:SMALL], wrapped(coarse, size)[:SMALL]


class Pathology(Generator):
    """See the module; ``options`` are ranges of factors."""

    summary = "H&E-like tissue patches; the rare class holds one or two dividing nuclei"
    options = PathologyOptions
    columns = ("mask", "boxes")
    stream = 2
    libraries = ("numpy", "numba")
    classes = (MITOTIC, NORMAL)
    prevalence: ClassVar = {MITOTIC: 0.01, NORMAL: 0.99}
    factors: ClassVar = {
        "nuclei": ("float", "resting nuclei in a 64x64 field"),
        "radius": ("float", "mean nuclear radius in pixels"),
        "figures": ("float", "mitotic figures; 0 in the normal class"),
        "phase": ("string", "phase of the first figure"),
        "lookalikes": ("float", "pyknotic, tangential, clumped nuclei and debris"),
        "crowd_x": ("float", "crowding of nuclei to the left (-) or right (+); 0: spread evenly"),
        "crowd_y": ("float", "crowding of nuclei to the top (-) or bottom (+)"),
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

    label_factors = ("figures", "phase")

    config: PathologyOptions

    def distributions(self) -> dict[str, Factor]:
        shade, figures = as_factor(self.config.shade), as_factor(self.config.figures)
        crowding = as_factor(self.config.crowding)
        phases = Discrete(tuple(_NAMES[kind] for kind in _FIGURES))
        return {
            **super().distributions(),
            "figures": Conditional("label", {MITOTIC: figures}, Discrete((0,))),
            "phase": Conditional("label", {MITOTIC: phases}, Discrete((None,))),
            **dict.fromkeys(("shade_x", "shade_y"), shade),
            **dict.fromkeys(("crowd_x", "crowd_y"), crowding),
        }

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Draw one patch; the class decides on the figures alone, which are drawn over the rest."""
        u = rng.random(15 + WINDOW + 1)
        values = self._draw_factors(u[:15].tolist(), mitotic=record.label == MITOTIC)
        size, window = self.image_size, u[15:]
        corners = (rng.random((tissue.CORNERS, 2)) * BANK).astype(np.int64)
        resting = round(values["nuclei"] * (size / 64) ** 2)
        bodies = _bodies(resting, values["lookalikes"], _LOOKALIKES, rng)
        if values["figures"]:  # last: all the rest is drawn as if there were none
            figures = _bodies(0, values["figures"], _FIGURES, rng)
            values["phase"] = _NAMES[figures[0][0]]
            kinds, draws, directions, places = map(
                np.concatenate, zip(bodies, figures, strict=True)
            )
            bodies = kinds, draws, directions, places
        image, mask = np.empty((size, size, 3), np.uint8), np.zeros((size, size), np.uint8)
        boxes = np.empty((values["figures"], 4))
        tissue.paint(
            *bodies,
            _TABLE,
            corners,
            window,
            self._banks(window),
            tuple([float(values[name]) for name in _PAINTED]),
            image,
            mask,
            boxes,
        )
        return Sample(
            image=image, label=record.label, mask=mask, boxes=boxes.tolist(), factors=values
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
            "crowd_x": at(c.crowding, u[13]),
            "crowd_y": at(c.crowding, u[14]),
        }

    def _banks(self, window: np.ndarray) -> Four:
        """Fibres, fine and coarse chromatin, and grain."""
        chosen, size = self.config.ground_set, self.image_size
        fibres = _fibres(which(window[0]), chosen)
        return fibres, *_chromatin(which(window[WINDOW]), chosen, size), sensor(size)


def _bodies(resting: int, others: int, kinds: range, rng: np.random.Generator) -> Four:
    """Resting nuclei and ``others`` of some ``kinds``, in the order of drawing: the kind of each
    (n,), and the random numbers (n, ...) of its shape, its direction and its place."""
    count = resting + others
    found = np.zeros(count, np.int64)
    found[resting:] = [kinds[int(u * len(kinds))] for u in rng.random(others).tolist()]
    return (
        found,
        rng.random((count, nuclei.DRAWS)),
        rng.standard_normal((count, 2)),
        rng.random((count, tissue.CANDIDATES, 2)),
    )
