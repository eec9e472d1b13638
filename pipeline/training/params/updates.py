"""``train.optimizer`` and ``train.regularisation``: what a step does to the weights."""

from typing import Annotated, Literal

from pydantic import Field

from raresight.pipeline.core.params import Section

Rate = Annotated[float, Field(gt=0, le=10)]
Share = Annotated[float, Field(ge=0, lt=1)]
Strength = Annotated[float, Field(ge=0, le=1)]


class OptimizerParams(Section):
    """``momentum`` is SGD's (Nesterov), and the first moment's decay for AdamW."""

    name: Literal["adamw", "sgd"]
    learning_rate: Rate
    momentum: Share


class RegularisationParams(Section):
    """What keeps weights small, biases and norms spared unless ``biases_and_norms`` is set.

    - ``weight_decay``: decoupled from the gradient, w shrinks by (1 - rate * weight_decay).
    - ``l2``: l2 / 2 * sum(w ** 2) in the loss.
    - ``l1``: l1 * sum(abs(w)), by proximal steps, so that weights become exactly 0.

    ``l1`` with either of the others is the elastic net.
    """

    weight_decay: Strength
    l2: Strength
    l1: Strength
    biases_and_norms: bool


class AverageParams(Section):
    """An exponential moving average of the weights, which is judged and kept in their place."""

    decay: Annotated[float, Field(gt=0, lt=1)]


class RetrainingParams(Section):
    """A second stage of so many ``epochs``: the last layer anew, every class shown alike."""

    epochs: Annotated[int, Field(ge=1, le=100_000)]
    learning_rate: Rate


class EarlyStoppingParams(Section):
    """Stop after ``patience`` epochs without ``min_delta`` more validation average precision."""

    patience: Annotated[int, Field(ge=1)]
    min_delta: Share
