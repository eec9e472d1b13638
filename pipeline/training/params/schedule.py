"""``train.schedule``: how the learning rate changes."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import Fraction

Positive = Annotated[float, Field(gt=0, le=1)]
Epoch = Annotated[int, Field(ge=1)]
Factor = Annotated[float, Field(gt=0, lt=1)]


class WarmupParams(Section):
    """The rate climbs over ``epochs``, from ``start_factor`` of where the schedule begins."""

    name: Literal["linear", "exponential"] = "linear"
    epochs: Annotated[float, Field(gt=0)] = 1.0
    start_factor: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _can_grow(self) -> "WarmupParams":
        if self.name == "exponential" and self.start_factor == 0:
            raise ValueError("an exponential warm-up cannot climb from a `start_factor` of 0")
        return self


class Schedule(Section):
    """What every schedule has: the rate changes at every step or every epoch."""

    interval: Literal["step", "epoch"] = "step"
    warmup: WarmupParams | None = WarmupParams()


class Constant(Schedule):
    name: Literal["constant"] = "constant"


class Linear(Schedule):
    """Straight down to ``min_lr_ratio`` of the rate."""

    name: Literal["linear"] = "linear"
    min_lr_ratio: Fraction = 0.01


class Exponential(Schedule):
    """By the same factor every time, down to ``min_lr_ratio`` of the rate."""

    name: Literal["exponential"] = "exponential"
    min_lr_ratio: Positive = 0.01


class Step(Schedule):
    """Times ``factor`` after ``every`` so many epochs."""

    name: Literal["step"] = "step"
    every: Annotated[int, Field(ge=1)] = 30
    factor: Factor = 0.1


class MultiStep(Schedule):
    """Times ``factor`` after each of ``milestones`` (epochs, from the start of training)."""

    name: Literal["multi_step"] = "multi_step"
    milestones: Annotated[tuple[Epoch, ...], Field(min_length=1)] = (15, 45, 70, 90)
    factor: Factor = 0.5

    @model_validator(mode="after")
    def _rising(self) -> "MultiStep":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError("`milestones` must rise, each once")
        return self


class Polynomial(Schedule):
    """Down to ``min_lr_ratio`` of the rate as (1 - t) ** ``power``."""

    name: Literal["polynomial"] = "polynomial"
    power: Annotated[float, Field(gt=0, le=10)] = 1.0
    min_lr_ratio: Fraction = 0.01


class Cosine(Schedule):
    """Half a cosine down to ``min_lr_ratio``, begun again ``num_restarts`` times.

    Each run after a restart is ``t_mult`` times as long as the one before.
    """

    name: Literal["cosine"] = "cosine"
    min_lr_ratio: Fraction = 0.01
    num_restarts: Annotated[int, Field(ge=0, le=1000)] = 0
    t_mult: Annotated[float, Field(ge=1, le=10)] = 1.0


class CycledMomentum(Section):
    """The momentum falls to ``lowest`` at the rate's peak, and is ``highest`` at both ends."""

    lowest: Factor = 0.85
    highest: Factor = 0.95

    @model_validator(mode="after")
    def _in_order(self) -> "CycledMomentum":
        if self.lowest > self.highest:
            raise ValueError(f"`lowest` ({self.lowest:g}) is above `highest` ({self.highest:g})")
        return self


class OneCycle(Schedule):
    """Up from ``start_factor`` to the rate in ``pct_start`` of all steps, down to ``min_lr_ratio``.

    ``momentum`` takes the place of the optimizer's; null leaves that as it is.
    """

    name: Literal["one_cycle"] = "one_cycle"
    start_factor: Positive = 0.04
    pct_start: Annotated[float, Field(gt=0, lt=1)] = 0.3
    min_lr_ratio: Fraction = 0.01
    momentum: CycledMomentum | None = None


class OnPlateau(Schedule):
    """Times ``factor`` after more than ``patience`` epochs in which ``monitor`` did not get better.

    Better is by more than ``min_delta``; the rate never falls below ``min_lr_ratio``.
    """

    name: Literal["on_plateau"] = "on_plateau"
    monitor: Literal["val_average_precision", "val_loss"] = "val_average_precision"
    factor: Factor = 0.5
    patience: Annotated[int, Field(ge=0)] = 5
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    min_lr_ratio: Fraction = 0.01


_KINDS = {
    "constant": Constant,
    "linear": Linear,
    "exponential": Exponential,
    "step": Step,
    "multi_step": MultiStep,
    "polynomial": Polynomial,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "on_plateau": OnPlateau,
}
ScheduleParams = Annotated[
    Constant | Linear | Exponential | Step | MultiStep | Polynomial | Cosine | OneCycle | OnPlateau,
    ByName(_KINDS, default="cosine"),
]


def contradictions(schedule: Schedule, epochs: int) -> str | None:
    """Why ``schedule`` makes no sense in a training of so many epochs, both keys named."""
    warmup = schedule.warmup
    if warmup is not None:
        given = f"schedule.warmup.epochs ({warmup.epochs:g})"
        if warmup.epochs >= epochs:
            return f"{given} must be less than epochs ({epochs})"
        if schedule.interval == "epoch" and warmup.epochs != int(warmup.epochs):
            return f"{given} must be whole where schedule.interval is 'epoch'"
    if isinstance(schedule, Step | MultiStep):
        return _steps(schedule, epochs, warmup.epochs if warmup else 0)
    if isinstance(schedule, Cosine) and schedule.num_restarts >= epochs:
        return (
            f"schedule.num_restarts ({schedule.num_restarts}) must be fewer than epochs ({epochs})"
        )
    return None


def _steps(schedule: Step | MultiStep, epochs: int, warm: float) -> str | None:
    if isinstance(schedule, Step):
        name, first, last = "schedule.every", schedule.every, schedule.every
    else:
        name, first, last = "schedule.milestones", schedule.milestones[0], schedule.milestones[-1]
    if last >= epochs:
        return f"{name} ({last}) must be less than epochs ({epochs}): it would never be reached"
    if first < warm:
        return f"{name} ({first}) must not lie within schedule.warmup.epochs ({warm:g})"
    return None
