"""``enlarge.method``: what makes images, one class each: its keys in params.yaml.

This module loads neither torch nor OpenCV, since reading params.yaml needs none.
"""

from typing import Annotated, Literal

from pydantic import Field

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.training.optim.optimizers import Rate


class Method(Section):
    """Base of every method."""

    name: str


class Composites(Method):
    """Cut the pixels that carry the label out of a training image, with some of their
    ``surroundings`` (in pixels), and put them into a training image of another class, where
    nothing is labelled. What was cut by the image's border stays at it.
    """

    name: Literal["composites"] = "composites"
    surroundings: Annotated[int, Field(ge=0, le=64)] = 4


class Flow(Method):
    """Learn to draw images like those of the classes by flow matching, pixels and mask together.

    A U-Net of a ``size`` is fitted in ``steps`` of ``batch_size`` images, moved as
    ``train.batch_augment`` flips, turns and shifts them. ``learn_from: all`` shows it images of the
    other classes, too, as many as of those that are asked for. Each image is drawn in
    ``sampling_steps``; ``guidance`` above 1 makes the class clearer and the images more alike.
    """

    name: Literal["flow"] = "flow"
    size: Literal["tiny", "small", "medium", "large"] = "small"
    steps: Annotated[int, Field(ge=1, le=10_000_000)] = 20_000
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 32
    learning_rate: Rate = 1e-3
    learn_from: Literal["asked", "all"] = "asked"
    sampling_steps: Annotated[int, Field(ge=1, le=1000)] = 30
    guidance: Annotated[float, Field(ge=1, le=20)] = 1.0


METHODS = {"composites": Composites, "flow": Flow}
MethodParams = Annotated[Method, ByName(METHODS, default="composites")]
