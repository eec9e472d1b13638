"""What a step does to the weights besides the optimizer: penalties, averages, when to stop."""

from typing import Annotated

from pydantic import Field

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Fraction, FractionBelowOne

Rate = Annotated[float, Field(gt=0, le=10)]


class RegularizationParams(Section):
    """What keeps weights small, biases and norms spared unless ``decay_bias_and_norm`` is set.

    - ``weight_decay``: decoupled from the gradient, w shrinks by (1 - rate * weight_decay).
    - ``l2``: l2 / 2 * sum(w ** 2) in the loss.
    - ``l1``: l1 * sum(abs(w)), by proximal steps, so that weights become exactly 0.

    ``l1`` with either of the others is the elastic net.
    """

    weight_decay: Fraction = 0.05
    l2: Fraction = 0.0
    l1: Fraction = 0.0
    decay_bias_and_norm: bool = False


class AverageParams(Section):
    """An exponential moving average of the weights, which is evaluated and kept in their place."""

    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999


class RetrainingParams(Section):
    """A second stage of so many ``epochs`` for a new last layer, every class shown alike."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 5
    learning_rate: Rate = 1e-3


class PretrainParams(Section):
    """A first phase of so many ``epochs`` on the images of ``sources`` alone; the other images,
    which are what the training goes on with, take no part in it.

    It has the recipe's optimizer, loss, sampler and augmentation; its rate falls to 0 by a cosine,
    after the recipe's warm-up where it is long enough for that. Nothing stops it early, and the
    recipe begins from its last weights. Both phases are judged on the same validation images.
    """

    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    epochs: Annotated[int, Field(ge=1, le=100_000)]


class EarlyStoppingParams(Section):
    """Stop after ``patience`` epochs without ``min_delta`` more validation average precision."""

    patience: Annotated[int, Field(ge=1, le=100_000)] = 6
    min_delta: FractionBelowOne = 0.0
