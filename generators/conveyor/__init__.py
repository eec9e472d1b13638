"""A bottling line in a physics simulator: what went wrong is read from where the bottles come to
rest.

Three to five bottles are set down on a belt, two of them close together, and one may be pushed over
or left without its cap, or one more dropped on the two. MuJoCo settles them; then the class is read
from their state, never from the request, and the scene is drawn again until it came out as asked.
Product, belt, light, camera and loose caps that lie about are drawn alike for all classes.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from raresight.generators import opengl
from raresight.generators.base import CannotDraw, Extra, Generator, Options, Record, Sample
from raresight.generators.drawing.objects import boxes_of, shuffled
from raresight.generators.drawing.sensor import expose
from raresight.generators.factors import Noise, Positive, Uniform, Whole, at, whole, within

if TYPE_CHECKING:
    from raresight.generators.conveyor.physics import Line, Settled
    from raresight.generators.conveyor.picture import Camera

OK, TOPPLED, NO_CAP, STACKED = "ok", "toppled", "no_cap", "stacked"

_MIXED = 0.25  # share of scenes in which every bottle is another product
_LEAST = 4  # pixels of an open neck that have to be seen


class ConveyorOptions(Options):
    """Ranges [low, high] of the factors, of which each scene draws uniformly, and bounds.

    - ``bottles`` (3 to 5), ``loose_caps`` (0 to 2): how many; a stacked one is one more.
    - ``friction``: sliding friction between bottles, belt and rails.
    - ``light``: strength of the lamp. ``camera_height``: metres above the belt.
    - ``noise``: standard deviation of the sensor's noise in grey levels.
    - ``min_visible``: pixels of the bottle at fault that have to be seen.
    - ``max_tries``: scenes drawn for one picture before giving up.
    """

    bottles: Annotated[Uniform, within(3, 5), Whole] = (3, 5)
    loose_caps: Annotated[Uniform, within(0, 2), Whole] = (0, 2)
    friction: Annotated[Positive, within(0.01, 10)] = (0.4, 0.9)
    light: Annotated[Positive, within(0.01, 10)] = (0.6, 1.15)
    camera_height: Annotated[Positive, within(0.1, 5)] = (0.3, 0.5)
    noise: Noise = (1.0, 4.0)
    min_visible: Annotated[int, Field(ge=1, le=1024**2)] = 30
    max_tries: Annotated[int, Field(ge=1, le=1000)] = 60


class Conveyor(Generator):
    """See the module; ``options`` are ranges of factors.

    The mask marks the bottles at fault; of one without a cap, its open neck. Instances number the
    bottles from 1, depth is in metres from the camera's plane.
    """

    summary = "bottles on a belt, settled by a physics simulator: toppled, stacked, without a cap"
    options = ConveyorOptions
    columns = ("mask", "boxes", "instances", "depth")
    stream = 2
    libraries = ("numpy", "numba", "mujoco")
    extra = Extra(install="raresight[simulator]", modules=("mujoco",))
    classes = (NO_CAP, OK, STACKED, TOPPLED)
    prevalence: ClassVar = {TOPPLED: 0.005, NO_CAP: 0.003, STACKED: 0.002}
    factors: ClassVar = {
        "bottles": ("float", "bottles that stand on the belt; one stacked on them is one more"),
        "loose_caps": ("float", "caps that lie about, in every class"),
        "friction": ("float", "sliding friction between bottles, belt and rails"),
        "lot": ("string", "same: all bottles are one product; mixed: each is another"),
        "light": ("float", "strength of the lamp"),
        "light_angle": ("float", "where the lamp hangs, degrees around the belt's middle"),
        "camera_height": ("float", "of the camera above the belt in metres"),
        "noise": ("float", "standard deviation of sensor noise in grey levels"),
        "upright": ("float", "cosine of the tilt of the bottle that is tilted most"),
        "visible": ("float", "pixels of the mask: what is seen of the fault; 0 in ok"),
        "tries": ("float", "scenes drawn until one came out as asked; 1/mean is the acceptance"),
    }

    label_factors = ("upright", "visible")
    outcomes = ("tries",)

    config: ConveyorOptions

    def require(self) -> None:
        super().require()
        self.environment()

    def environment(self) -> Mapping[str, str]:
        return {
            "opengl": opengl.require(
                "generator 'conveyor'", probe="raresight.generators.conveyor.picture"
            )
        }

    def sample(self, record: Record, rng: np.random.Generator) -> Sample:
        """Draw scenes until one settles into the record's class, with the fault in sight.

        Raises CannotDraw after ``max_tries``, Unavailable when the engine drew nothing.
        """
        line, camera = _engine(self.image_size)
        for tries in range(1, self.config.max_tries + 1):
            values = self._draw_factors(rng)
            line.reset()
            settled = line.settle(record.label, values, rng)
            if settled is None or settled.label != record.label:
                continue
            camera.dress(values, rng)
            instances, parts = camera.objects()
            mask = _fault(settled, instances, camera.necks(parts))
            if self._in_sight(settled, instances, mask):
                values |= {"upright": settled.upright, "visible": int(mask.sum()), "tries": tries}
                return self._picture(record, camera, settled, instances, mask, values, rng)
        raise CannotDraw(
            f"conveyor: no scene of class '{record.label}' with its fault in sight in "
            f"{self.config.max_tries} tries (record {record.id}). Allow more `max_tries`, "
            "a smaller `min_visible`, or wider ranges."
        )

    def _draw_factors(self, rng: np.random.Generator) -> dict[str, float | str]:
        c, u = self.config, rng.random(8).tolist()
        return {
            "bottles": whole(c.bottles, u[0]),
            "loose_caps": whole(c.loose_caps, u[1]),
            "friction": at(c.friction, u[2]),
            "lot": "mixed" if u[3] < _MIXED else "same",
            "light": at(c.light, u[4]),
            "light_angle": at((-180.0, 180.0), u[5]),
            "camera_height": at(c.camera_height, u[6]),
            "noise": at(c.noise, u[7]),
        }

    def _in_sight(self, settled: "Settled", instances: np.ndarray, mask: np.ndarray) -> bool:
        """The bottle at fault shows enough of itself; in ok, there is nothing to be seen."""
        seen = np.isin(instances, [k + 1 for k in settled.culprits]).sum()
        return not settled.culprits or (seen >= self.config.min_visible and mask.sum() >= _LEAST)

    def _picture(
        self, record: Record, camera: "Camera", settled: "Settled", instances: np.ndarray,
        mask: np.ndarray, values: Mapping[str, Any], rng: np.random.Generator,
    ) -> Sample:  # fmt: skip
        depth, picture = camera.depth(), camera.colours()
        opengl.check_frame(f"conveyor, record {record.id}", picture, instances)
        return Sample(
            image=expose(picture, noise=values["noise"], rng=rng),
            label=settled.label,
            mask=mask.astype(np.uint8),
            boxes=boxes_of(instances, [k + 1 for k in settled.culprits]),
            instances=shuffled(instances, rng),
            depth=depth,
            factors=values,
        )


def _fault(settled: "Settled", instances: np.ndarray, necks: np.ndarray) -> np.ndarray:
    """Which pixels show the fault, bool (H, W)."""
    shown = np.isin(instances, [k + 1 for k in settled.culprits])
    return shown & necks if settled.label == NO_CAP else shown


@lru_cache(maxsize=2)
def _engine(size: int) -> "tuple[Line, Camera]":
    """The line and its camera: built once for each process and size, since it takes 0.2 s."""
    opengl.prepare()
    from raresight.generators.conveyor.physics import Line
    from raresight.generators.conveyor.picture import Camera

    line = Line(size)
    return line, Camera(line, size)
