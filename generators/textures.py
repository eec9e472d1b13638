"""Surfaces under inspection: metal, fabric or concrete, of which a rare one has a defect.

The defect alone tells the classes apart: surface, light, dust and noise are drawn alike for both.
Which defect it is, and how large, are factors, so that results can be sliced by them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from raresight.generators.base import Generator, Record, Sample
from raresight.generators.drawing import defects
from raresight.generators.drawing.noise import BANK, WINDOW, GroundSet, sensor, take, which
from raresight.generators.drawing.objects import box_around
from raresight.generators.drawing.stain import blur, develop
from raresight.generators.factors import (
    Conditional,
    Discrete,
    Factor,
    LogUniform,
    Noise,
    Numbers,
    Whole,
    Words,
    among,
    within,
)
from raresight.generators.options import FactorOptions

SOUND, DEFECTIVE = "sound", "defective"

_SHAPE = 10  # numbers that decide on a defect's outline
_SPECK = 3  # and on a speck of dust


class TexturesOptions(FactorOptions):
    """What may be drawn; lengths are shares of the image's side. All may depend on ``surface`` and
    ``defect`` (which is null on a sound surface, and decided on for it all the same).

    - ``surface``, ``defect``: words with or without weights, such as ``[metal, fabric]``.
    - ``size``: of a defect across, of a scratch along. ``thickness``: of a scratch, in pixels.
    - ``contrast``: how much lighter or darker a defect is. ``margin``: the least from its middle to
      the border.
    - ``fade``: how much of its strength a defect loses towards its ends and in places along it.
    - ``lightness``, ``tint`` (saturation of a warm or cold hue), ``roughness``: of the surface.
    - ``shade``: how much light is lost across the image. ``dust``: specks, in both classes.
    - ``blur``: standard deviation in pixels. ``noise``: in grey levels.
    - ``ground_set``: number of the set of texture banks that surfaces are taken from.
    """

    surface: Annotated[Words, among(defects.SURFACES)] = Discrete(defects.SURFACES)
    defect: Annotated[Words, among(defects.DEFECTS)] = Discrete(defects.DEFECTS)
    size: Annotated[Numbers, within(0.01, 1)] = Conditional(
        "defect", {"scratch": LogUniform(0.12, 0.7)}, LogUniform(0.04, 0.3)
    )
    thickness: Annotated[Numbers, within(0.5, 20)] = (0.8, 1.8)
    contrast: Annotated[Numbers, within(0.01, 1)] = (0.2, 0.5)
    margin: Annotated[float, Field(ge=0, le=0.4)] = 0.06
    fade: Annotated[float, Field(ge=0, le=1)] = 0.0
    lightness: Annotated[Numbers, within(0, 1)] = (0.4, 0.7)
    tint: Annotated[Numbers, within(0, 0.5)] = (0.0, 0.12)
    roughness: Annotated[Numbers, within(0, 0.3)] = (0.03, 0.08)
    shade: Annotated[Numbers, within(0, 0.8)] = (0.0, 0.25)
    dust: Annotated[Numbers, within(0, 100), Whole] = (0, 3)
    blur: Annotated[Numbers, within(0, 10)] = (0.0, 0.6)
    noise: Noise = (1.0, 6.0)
    ground_set: GroundSet = 0

    drawn: ClassVar = (
        "surface", "defect", "size", "thickness", "contrast", "lightness", "tint", "roughness",
        "shade", "dust", "blur", "noise",
    )  # fmt: skip
    counted: ClassVar = ("dust",)

    def labels(self) -> tuple[str, ...]:
        return (DEFECTIVE, SOUND)


class Textures(Generator):
    """See the module. The mask marks the pixels of which the defect covers half or more; of one
    smaller than that, the pixel it covers most."""

    summary = "metal, fabric or concrete, rarely with a scratch, dent, stain or hole"
    options = TexturesOptions
    columns = ("mask", "boxes")
    stream = 2
    libraries = ("numpy", "numba")
    classes = (DEFECTIVE, SOUND)
    prevalence: ClassVar = {DEFECTIVE: 0.01, SOUND: 0.99}
    factors: ClassVar = {
        "surface": ("string", "metal, fabric or concrete"),
        "defect": ("string", "scratch, dent, stain or hole; unknown for a sound surface"),
        "defect_size": ("float", "of the defect across, of a scratch along; share of the side"),
        "thickness": ("float", "of a scratch in pixels"),
        "defect_contrast": ("float", "how much lighter or darker than the surface"),
        "defect_area": ("float", "pixels of the defect; 0 for a sound surface"),
        "lightness": ("float", "of the surface"),
        "tint": ("float", "saturation of the surface"),
        "roughness": ("float", "standard deviation of the surface's lightness"),
        "shade": ("float", "share of the light lost across the image"),
        "dust": ("float", "specks of dust, in both classes"),
        "blur": ("float", "standard deviation of the blur in pixels"),
        "noise": ("float", "standard deviation of sensor noise in grey levels"),
    }

    label_factors = ("defect", "defect_size", "thickness", "defect_contrast", "defect_area")

    config: TexturesOptions

    def distributions(self) -> dict[str, Factor]:
        laws = self.config.laws()
        return {
            _RECORDED.get(name, name): self._of_defective(name, law) for name, law in laws.items()
        }

    def _of_defective(self, name: str, law: Factor) -> Factor:
        if name not in _OF_DEFECTS:
            return law
        absent = Discrete((None,))
        if name == "thickness":
            law = Conditional("defect", {"scratch": law}, absent)
        return Conditional("label", {DEFECTIVE: law}, absent)

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Draw one image; the class decides on the defect alone."""
        values = self.config.draw(record.label, rng)
        u, shape = rng.random(WINDOW + 5), rng.random(_SHAPE)
        specks = rng.random((values["dust"], _SPECK))
        light = self._surface(values, u)
        self._dust(light, specks)
        mask = np.zeros(light.shape, np.uint8)
        if record.label == DEFECTIVE:
            mask = self._spoil(light, values, u[8:10], shape)
        image = self._develop(light, values, u, rng)
        return Sample(
            image=image,
            label=record.label,
            mask=mask,
            boxes=(box_around(mask),) if mask.any() else (),
            factors=_recorded(values, record.label, int(mask.sum())),
        )

    def _surface(self, values: Mapping[str, Any], u: np.ndarray) -> np.ndarray:
        """Lightness, float64 (side, side): the surface under light that falls off to one side."""
        side = self.image_size
        bank = defects.surface(values["surface"], which(u[0]), self.config.ground_set)
        window = np.empty((side, side), np.float32)
        take(bank, u[:WINDOW], window)
        slope = np.linspace(0, 1, side)
        turns = 2 * np.pi * u[5]
        fall = np.cos(turns) * slope + np.sin(turns) * slope[:, None]
        fall -= fall.min()
        light = values["lightness"] + values["roughness"] * window
        return light * (1 - values["shade"] * fall / max(1.0, fall.max()))

    def _dust(self, light: np.ndarray, specks: np.ndarray) -> None:
        """Faint specks, lighter than what they lie on: no defect, and smaller than most."""
        side = self.image_size
        for x, y, strength in specks.tolist():
            row, column = int(y * side), int(x * side)
            light[row : row + 1, column : column + 2] += 0.05 + 0.1 * strength

    def _spoil(
        self, light: np.ndarray, values: Mapping[str, Any], place: np.ndarray, shape: np.ndarray
    ) -> np.ndarray:
        """Put the defect on the surface; returns its mask."""
        side, margin = self.image_size, self.config.margin
        x, y = (side * (margin + (1 - 2 * margin) * place)).tolist()
        kind, size = values["defect"], values["size"] * side
        if kind == "scratch":
            share = defects.line(x, y, size, values["thickness"], shape, side)
        else:
            ragged = {"dent": 0.2, "hole": 0.4, "stain": 1.0}[kind]
            share = defects.blob(x, y, size, ragged, shape, side)
        fade = self.config.fade
        strength = defects.faded(share, x, y, size, fade, shape) if fade else share
        defects.APPLY[kind](light, strength, values["contrast"], shape)
        least = min(0.5, float(share.max()))
        return ((share >= least) & (share > 0)).astype(np.uint8)

    def _develop(
        self, light: np.ndarray, values: Mapping[str, Any], u: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        side = self.image_size
        warm = values["tint"] * (2 * u[6] - 1)
        colour = np.array([1 + warm, 1 + 0.3 * warm * (u[7] - 0.5), 1 - warm])
        planes = (light * colour[:, None, None]).astype(np.float32)
        if values["blur"] > 0:
            blur(planes, values["blur"])
        image = np.empty((side, side, 3), np.uint8)
        corners = (rng.random((3, 2)) * BANK).astype(np.int64)
        develop(planes, sensor(side), corners, values["noise"], image)
        return image


_OF_DEFECTS = ("defect", "size", "thickness", "contrast")
_RECORDED = {"size": "defect_size", "contrast": "defect_contrast"}


def _recorded(values: Mapping[str, Any], label: str, area: int) -> dict[str, Any]:
    """The factors as they are kept: those of a defect only where there is one."""
    kept = {_RECORDED.get(name, name): value for name, value in values.items()}
    if label == SOUND:
        kept |= {_RECORDED.get(name, name): None for name in _OF_DEFECTS}
    elif values["defect"] != "scratch":
        kept["thickness"] = None
    return kept | {"defect_area": area}
