"""``train.schedule.warmup``: how the learning rate climbs before its schedule begins."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import FractionBelowOne


class WarmupParams(Section):
    """The rate climbs over ``epochs``, from ``start_factor`` of where the schedule begins."""

    name: Literal["linear", "exponential"] = "linear"
    epochs: Annotated[float, Field(gt=0, le=100_000)] = 1.0
    start_factor: FractionBelowOne = 0.0

    @model_validator(mode="after")
    def _can_grow(self) -> "WarmupParams":
        if self.name == "exponential" and self.start_factor == 0:
            raise ValueError("an exponential warm-up cannot climb from a `start_factor` of 0")
        return self

    def lr_ratio(self, done: float) -> float:
        """The share of the rate where ``done`` in (0, 1] of the warm-up is done."""
        start = self.start_factor
        return start + (1 - start) * done if self.name == "linear" else start ** (1 - done)
