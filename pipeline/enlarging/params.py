"""The ``enlarge`` section of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Seed


class EnlargeParams(Section):
    """More training images of ``classes``: so many of each training original of a class, made by
    ``method``; none by default.

    ``composites`` cut the pixels that carry the label out of a training image, with some of their
    ``surroundings`` (in pixels), and put them into a training image of another class, where
    nothing is labelled. What was cut by the image's border stays at it.
    """

    seed: Seed = 1
    method: Literal["composites"] = "composites"
    classes: dict[str, Annotated[int, Field(ge=1, le=1000)]] = Field(default_factory=dict)
    surroundings: Annotated[int, Field(ge=0, le=64)] = 4
