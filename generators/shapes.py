"""Plane shapes on plain, shaded or cluttered ground: controlled data with every factor known."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import AfterValidator, Field

from generators.base import Generator, Options, Record, Sample
from generators.drawing import sdf
from generators.drawing.noise import grain
from generators.factors import NonNegative, Positive, at, whole

_BANK = 512
_GRAIN = grain("shapes", size=_BANK)


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in sdf.SHAPES:
            raise ValueError(f"unknown shape '{name}'; known: {', '.join(sdf.SHAPES)}")
    if len(set(names)) != len(names):
        raise ValueError("a shape is named twice")
    return names


def _a_share(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[1] > 1:
        raise ValueError("is a share: at most 1")
    return pair


Share = Annotated[NonNegative, AfterValidator(_a_share)]
Names = Annotated[tuple[str, ...], Field(min_length=2), AfterValidator(_known)]


class ShapesOptions(Options):
    """``classes`` are names of shapes; the rest are ranges [low, high] of factors.

    ``radius`` is that of the circumscribed circle, as a share of the image's side; ``contrast`` is the
    least distance of the shape's grey value from the ground's; ``clutter`` counts small discs that may
    hide parts of the shape; ``noise`` is in grey levels.
    """

    classes: Names = ("circle", "square", "triangle")
    radius: Positive = (0.15, 0.35)
    rotation: NonNegative = (0, 360)
    contrast: Share = (0.15, 0.6)
    gradient: Share = (0.0, 0.3)
    clutter: NonNegative = (0, 4)
    noise: NonNegative = (0, 12)


class Shapes(Generator):
    """See the module."""

    summary = "one geometric shape on shaded ground, partly hidden by clutter"
    options = ShapesOptions
    libraries = ("numpy", "numba")
    factors: ClassVar = {
        "x": ("float", "centre, pixels from the left"),
        "y": ("float", "centre, pixels from the top"),
        "radius": ("float", "radius of the circumscribed circle in pixels"),
        "rotation": ("float", "degrees, clockwise"),
        "contrast": ("float", "distance of the shape's grey value from the ground's, as a share"),
        "gradient": ("float", "change of the ground across the field, as a share"),
        "clutter": ("float", "small discs drawn over the scene"),
        "visible": ("float", "share of the shape's pixels that no clutter hides"),
        "noise": ("float", "standard deviation of sensor noise in grey levels"),
    }

    config: ShapesOptions

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(self.config.classes))

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Draw one shape; the class decides on its outline alone."""
        c, side = self.config, self.image_size
        u = rng.random(8)
        radius = at(c.radius, u[0]) * side
        room = max(0.0, side - 2 * radius)
        x, y = (radius + room * u[1:3]) if room else (side / 2, side / 2)
        values = {
            "x": float(x), "y": float(y), "radius": radius, "rotation": at(c.rotation, u[3]),
            "contrast": at(c.contrast, u[4]), "gradient": at(c.gradient, u[5]),
            "clutter": whole(c.clutter, u[6]), "noise": at(c.noise, u[7]),
        }  # fmt: skip
        scene, covered = self._scene(record.label, values, rng)
        hidden = self._add_clutter(scene, covered, values, rng)
        mask = (covered >= 0.5).astype(np.uint8)
        seen = mask & (hidden < 0.5)
        values["visible"] = float(seen.sum() / max(1, mask.sum()))
        image = self._develop(scene, values["noise"], rng)
        return Sample(image=image, label=record.label, mask=seen, boxes=_box(seen), factors=values)

    def _scene(self, label: str, values: dict, rng: np.random.Generator) -> tuple:
        """Ground and shape, float (H, W, 3) in [0, 1], and the share of each pixel it covers."""
        side = self.image_size
        dark, light = values["contrast"] + 0.05, 0.95 - values["contrast"]
        ground = 0.05 + 0.9 * rng.random(3)
        up = rng.random(3) < 0.5
        up = np.where(ground > light, False, np.where(ground < dark, True, up))
        colour = np.clip(np.where(up, ground + values["contrast"], ground - values["contrast"]), 0, 1)
        ramp = (np.arange(side) / side - 0.5) * values["gradient"]
        scene = np.clip(ground + np.broadcast_to(ramp[:, None, None], (side, side, 3)), 0, 1)
        covered = self._cover(label, (values["x"], values["y"]), values["rotation"], values["radius"])
        return scene + covered[:, :, None] * (colour - scene), covered

    def _cover(self, name: str, centre: tuple, rotation: float, radius: float) -> np.ndarray:
        out = np.zeros((self.image_size, self.image_size))
        shape, angle = sdf.SHAPES[name], np.deg2rad(rotation)
        sdf.cover(shape.kind, shape.vertices, centre, (np.cos(angle), np.sin(angle)), radius, out)
        return out

    def _add_clutter(self, scene, covered, values: dict, rng: np.random.Generator) -> np.ndarray:
        """Draw the discs into ``scene``; returns the share of each pixel that they cover."""
        hidden = np.zeros_like(covered)
        for _ in range(values["clutter"]):
            u = rng.random(6)
            centre = (u[0] * self.image_size, u[1] * self.image_size)
            disc = self._cover("circle", centre, 0.0, (0.03 + 0.06 * u[2]) * self.image_size)
            scene += disc[:, :, None] * (u[3:] - scene)
            np.maximum(hidden, disc, out=hidden)
        return hidden

    def _develop(self, scene: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
        side = self.image_size
        offsets = rng.integers(0, _BANK, (3, 2))
        reach = np.arange(side)
        for channel, (v, u) in enumerate(offsets):
            window = _GRAIN[np.ix_((reach + v) % _BANK, (reach + u) % _BANK)]
            scene[:, :, channel] += window * (noise / 255)
        return (np.clip(scene, 0, 1) * 255 + 0.5).astype(np.uint8)


def _box(mask: np.ndarray) -> tuple[tuple[float, float, float, float], ...]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return ()
    width, height = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    return ((float(columns[0]), float(rows[0]), float(width), float(height)),)
