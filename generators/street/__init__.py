"""A street as a car sees it, in a game engine: is somebody on the carriageway?

Houses, trees, cars, lanterns and people are put up anew for every scene, by day, at dusk and at
night, in clear air and in fog. A frame is `crossing` only where a pedestrian whose feet are on the
carriageway shows enough pixels; people on the pavement, signs, bollards and road works occur in
both classes. The class is read from the frame that was drawn, never from the request.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, Field

from raresight.generators import opengl
from raresight.generators.base import CannotDraw, Extra, Generator, Options, Record, Sample
from raresight.generators.distributions import Conditional, Discrete, Factor
from raresight.generators.drawing.objects import boxes_of, contrast, shuffled
from raresight.generators.drawing.sensor import expose
from raresight.generators.factors import Noise, Uniform, Whole, as_factor, at, whole, within

if TYPE_CHECKING:
    from raresight.generators.street.engine import Frame, Stage
    from raresight.generators.street.scene import Scene

CROSSING, CLEAR = "crossing", "clear"

_SECOND = 0.2  # share of the crossing scenes with a second person on the carriageway
Daytime = Literal["day", "dusk", "night"]
Weight = Annotated[float, Field(ge=0, le=1e6)]

_DAYTIMES: Mapping[Daytime, float] = {"day": 0.6, "dusk": 0.2, "night": 0.2}
# Degrees of the sun (by night, the moon) above the horizon.
_SUN_HEIGHT = {"day": (20.0, 60.0), "dusk": (4.0, 14.0), "night": (20.0, 60.0)}


def _some(weights: Mapping[Daytime, float]) -> Mapping[Daytime, float]:
    if sum(weights.values()) <= 0:
        raise ValueError("one of day, dusk and night needs a weight above 0")
    return weights


class StreetOptions(Options):
    """Ranges [low, high] of the factors, of which each scene draws uniformly, and bounds.

    - ``daytimes``: how often day, dusk and night occur, as weights; 0 or absent: never.
    - ``fog``: density per metre (0.02: half the contrast is gone after 35 m); drawn by its
      logarithm, so that clear air is as common as any.
    - ``distance``: metres from the camera to who crosses.
    - ``walkers``: people on the pavements (0 to 8). ``cars``: how full the street is, 0 to 1.
    - ``fov``: the camera's field of view in degrees; 50 as a dash camera, 30 as a long lens.
    - ``noise``: standard deviation of the sensor's noise in grey levels.
    - ``min_visible``: pixels of a pedestrian that make a frame `crossing`.
    - ``max_tries``: scenes drawn for one picture before giving up.
    """

    daytimes: Annotated[Mapping[Daytime, Weight], AfterValidator(_some)] = _DAYTIMES
    fog: Annotated[Uniform, within(1e-6, 1)] = (0.002, 0.04)
    distance: Annotated[Uniform, within(4, 200)] = (6.0, 20.0)
    walkers: Annotated[Uniform, within(0, 8), Whole] = (0, 5)
    cars: Annotated[Uniform, within(0, 1)] = (0.2, 1.0)
    fov: Annotated[Uniform, within(10, 120)] = (50.0, 58.0)
    noise: Noise = (1.0, 4.0)
    min_visible: Annotated[int, Field(ge=1, le=1024**2)] = 12
    max_tries: Annotated[int, Field(ge=1, le=1000)] = 60


class Street(Generator):
    """See the module; ``options`` are ranges of factors.

    The mask marks the pedestrians on the carriageway. Instances number every house, tree, car,
    sign and person; depth is in metres from the camera's plane, the sky at the far plane.
    """

    summary = "a street from a car, drawn by a game engine: is a pedestrian on the carriageway?"
    options = StreetOptions
    columns = ("mask", "boxes", "instances", "depth")
    stream = 2
    libraries = ("numpy", "numba", "panda3d")
    extra = Extra(install="raresight[game-engine]", modules=("panda3d",))
    classes = (CLEAR, CROSSING)
    prevalence: ClassVar = {CROSSING: 0.01, CLEAR: 0.99}
    factors: ClassVar = {
        "daytime": ("string", "day, dusk or night"),
        "fog": ("float", "density of the air per metre"),
        "sun_height": ("float", "degrees above the horizon"),
        "walkers": ("float", "people on the pavements"),
        "cars": ("float", "how full the street is, 0 to 1"),
        "fov": ("float", "the camera's field of view in degrees"),
        "noise": ("float", "standard deviation of sensor noise in grey levels"),
        "distance": ("float", "metres to the nearest pedestrian who crosses; none in clear"),
        "visible": ("float", "pixels of the mask: what is seen of those who cross; 0 in clear"),
        "contrast": ("float", "grey levels between those who cross and what is around them"),
        "tries": ("float", "scenes drawn until one came out as asked; 1/mean is the acceptance"),
    }

    label_factors = ("distance", "visible", "contrast")
    outcomes = ("tries",)

    config: StreetOptions

    def require(self) -> None:
        super().require()
        self.environment()

    def environment(self) -> Mapping[str, str]:
        return {
            "opengl": opengl.require(
                "generator 'street'", probe="raresight.generators.street.engine"
            )
        }

    def distributions(self) -> dict[str, Factor]:
        crossing = {CROSSING: as_factor(self.config.distance)}
        return {
            **super().distributions(),
            "distance": Conditional("label", crossing, Discrete((None,))),
        }

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Draw scenes until a frame shows the record's class.

        Raises CannotDraw after ``max_tries``, Unavailable when the engine drew nothing.
        """
        for tries in range(1, self.config.max_tries + 1):
            values = self.draw_factors(rng)
            scene, frame = self.shoot(values, crossing=record.label == CROSSING, rng=rng)
            opengl.check_frame(f"street, record {record.id}", frame.colours, frame.numbers)
            seen = self.crossing(scene, frame)
            if (CROSSING if seen else CLEAR) == record.label:
                return _sample(scene, frame, seen, values | {"tries": tries}, rng)
        raise CannotDraw(
            f"street: no frame of class '{record.label}' in {self.config.max_tries} tries "
            f"(record {record.id}). Allow more `max_tries`, a smaller `min_visible` or `distance`."
        )

    def shoot(
        self, values: Mapping[str, Any], *, crossing: bool, rng: np.random.Generator
    ) -> "tuple[Scene, Frame]":
        """Put up one scene, with somebody meant to cross or not, and draw it."""
        stage = _stage(self.image_size)
        from raresight.generators.street.scene import compose

        people = 1 + int(rng.random() < _SECOND) if crossing else 0
        scene = compose(values, crossing=people, rng=rng)
        return scene, stage.draw(scene.heap.bake(), scene.light, scene.view)

    def crossing(self, scene: "Scene", frame: "Frame") -> list[int]:
        """The object numbers of pedestrians on the carriageway who show enough pixels."""
        pixels = np.bincount(frame.numbers.ravel(), minlength=len(scene.heap.tags))
        return [number for number in scene.on_road if pixels[number] >= self.config.min_visible]

    def draw_factors(self, rng: np.random.Generator) -> dict[str, Any]:
        c, u = self.config, rng.random(8).tolist()
        daytime = _weighted(c.daytimes, u[0])
        return {
            "daytime": daytime,
            "fog": _by_logarithm(c.fog, u[1]),
            "sun_height": at(_SUN_HEIGHT[daytime], u[2]),
            "walkers": whole(c.walkers, u[3]),
            "cars": at(c.cars, u[4]),
            "noise": at(c.noise, u[5]),
            "distance": at(c.distance, u[6]),
            "fov": at(c.fov, u[7]),
        }


def _by_logarithm(interval: Any, u: float) -> float:
    """As ``at``, but for a pair: every order of magnitude between its ends is equally likely."""
    if not isinstance(interval, tuple):
        return at(interval, u)
    low, high = interval
    return float(low * (high / low) ** u)


def _weighted(weights: Mapping[Daytime, float], u: float) -> Daytime:
    """The name at quantile ``u`` of the distribution that has these weights."""
    names = [name for name in sorted(weights) if weights[name] > 0]
    shares = np.cumsum([weights[name] for name in names]) / sum(weights.values())
    return names[min(int(np.searchsorted(shares, u, side="right")), len(names) - 1)]


def _sample(
    scene: "Scene",
    frame: "Frame",
    seen: list[int],
    values: Mapping[str, Any],
    rng: np.random.Generator,
) -> Sample:
    image = expose(frame.colours, noise=values["noise"], rng=rng)
    mask = np.isin(frame.numbers, seen)
    found = {
        "distance": min((scene.on_road[number] for number in seen), default=None),
        "visible": int(mask.sum()),
        "contrast": contrast(image, mask) if seen else None,
    }
    return Sample(
        image=image,
        label=CROSSING if seen else CLEAR,
        mask=mask.astype(np.uint8),
        boxes=boxes_of(frame.numbers, seen),
        instances=shuffled(frame.numbers, rng),
        depth=frame.depth,
        factors={**values, **found},
    )


@lru_cache(maxsize=2)
def _stage(size: int) -> "Stage":
    """The engine with its buffers: built once for each process and size."""
    opengl.prepare()
    from raresight.generators.street.engine import Stage

    return Stage(size)
