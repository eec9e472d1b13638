"""Light and air by the time of day, the fog and the clouds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from raresight.generators.street.engine import Light
from raresight.generators.street.meshes import Triple

# Linear colours of the sun (by night, the moon), of the light from the sky, of the zenith and the
# horizon; strength of headlights and lanterns; how long the camera exposes.
_DAYTIMES: Mapping[str, tuple[Triple, Triple, Triple, Triple, float, float, float]] = {
    "day": (
        *((3.4, 3.1, 2.6), (0.55, 0.66, 0.85), (0.10, 0.25, 0.65), (0.62, 0.74, 0.88)),
        *(0.0, 0.0, 0.95),
    ),
    "dusk": (
        *((0.9, 0.45, 0.2), (0.26, 0.25, 0.32), (0.10, 0.12, 0.28), (0.62, 0.36, 0.24)),
        *(0.35, 0.6, 1.5),
    ),
    "night": (
        *((0.02, 0.024, 0.034), (0.018, 0.02, 0.03), (0.002, 0.003, 0.007), (0.012, 0.011, 0.014)),
        *(1.4, 2.6, 1.6),
    ),
}


def light(values: Mapping[str, Any], lamps: list[Triple], rng: np.random.Generator) -> Light:
    """The light of a scene; ``values`` has ``daytime``, ``fog`` (per metre) and ``sun_height``."""
    sun, ambient, zenith, horizon, headlights, lamp, exposure = _DAYTIMES[values["daytime"]]
    clouds = rng.random()
    direct = max(0.0, 1 - 0.9 * clouds) * np.exp(-12 * values["fog"])
    azimuth, height = rng.uniform(0, 2 * np.pi), np.radians(values["sun_height"])
    towards = (np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height))
    grey = np.mean(horizon)
    overhead = (1 - 0.8 * clouds) * np.array(zenith) + 0.8 * clouds * 0.7 * grey
    return Light(
        sun=_scaled(sun, direct),
        towards_sun=towards,
        ambient=_scaled(ambient, rng.uniform(0.9, 1.15)),
        zenith=_scaled(overhead, 1.0),
        fog=_scaled(np.array(horizon) * (1 - 0.5 * clouds) + 0.5 * clouds * grey, 1.0),
        density=values["fog"],
        headlights=headlights,
        lamps=tuple(lamps),
        lamp_strength=lamp,
        exposure=exposure * rng.uniform(0.85, 1.2),
    )


def _scaled(colour: Triple | np.ndarray, factor: float) -> Triple:
    red, green, blue = (np.asarray(colour) * factor).tolist()
    return red, green, blue
