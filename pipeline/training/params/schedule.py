"""``train.schedule``: how the learning rate changes."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from raresight.pipeline.core.params import ByName, Section

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1)]
Epoch = Annotated[int, Field(ge=1)]
Factor = Annotated[float, Field(gt=0, lt=1)]


class WarmupParams(Section):
    """The rate climbs over ``epochs``, from ``start_share`` of where the schedule begins."""

    shape: Literal["linear", "exponential"]
    epochs: Annotated[float, Field(gt=0)]
    start_share: Annotated[float, Field(ge=0, lt=1)]

    @model_validator(mode="after")
    def _can_grow(self) -> "WarmupParams":
        if self.shape == "exponential" and self.start_share == 0:
            raise ValueError("an exponential `shape` cannot climb from a `start_share` of 0")
        return self


class Schedule(Section):
    """What every schedule has: the rate changes ``by`` every step or by every epoch."""

    by: Literal["step", "epoch"]
    warmup: WarmupParams | None


class Constant(Schedule):
    name: Literal["constant"]


class Linear(Schedule):
    """Straight down to ``final_share`` of the rate."""

    name: Literal["linear"]
    final_share: Share


class Exponential(Schedule):
    """By the same factor every time, down to ``final_share`` of the rate."""

    name: Literal["exponential"]
    final_share: Positive


class Step(Schedule):
    """Times ``factor`` after ``every`` so many epochs."""

    name: Literal["step"]
    every: Annotated[int, Field(ge=1)]
    factor: Factor


class MultiStep(Schedule):
    """Times ``factor`` after each of ``milestones`` (epochs, from the start of training)."""

    name: Literal["multi_step"]
    milestones: Annotated[tuple[Epoch, ...], Field(min_length=1)] = (15, 45, 70, 90)
    factor: Factor = 0.5

    @model_validator(mode="after")
    def _rising(self) -> "MultiStep":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError("`milestones` must rise, each once")
        return self


class Polynomial(Schedule):
    """Down to ``final_share`` of the rate as (1 - t) ** ``power``."""

    name: Literal["polynomial"]
    power: Annotated[float, Field(gt=0, le=10)]
    final_share: Share


class Cosine(Schedule):
    """Half a cosine down to ``final_share``, begun again ``restarts`` times.

    Each run after a restart is ``stretch`` times as long as the one before.
    """

    name: Literal["cosine"]
    final_share: Share
    restarts: Annotated[int, Field(ge=0, le=1000)]
    stretch: Annotated[float, Field(ge=1, le=10)]


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
    """Up from ``start_share`` to the rate over ``rise`` of training, down to ``final_share``.

    ``momentum`` takes the place of the optimizer's; null leaves that as it is.
    """

    name: Literal["one_cycle"]
    start_share: Positive
    rise: Annotated[float, Field(gt=0, lt=1)]
    final_share: Share
    momentum: CycledMomentum | None


class OnPlateau(Schedule):
    """Times ``factor`` after more than ``patience`` epochs in which ``monitor`` did not get better.

    Better is by more than ``min_delta``; the rate never falls below ``final_share``.
    """

    name: Literal["on_plateau"]
    monitor: Literal["val_average_precision", "val_loss"]
    factor: Factor = 0.5
    patience: Annotated[int, Field(ge=0)] = 5
    min_delta: Annotated[float, Field(ge=0)]
    final_share: Share


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
    ByName(_KINDS),
]


def contradictions(schedule: Schedule, epochs: int) -> str | None:
    """Why ``schedule`` makes no sense in a training of so many epochs, both keys named."""
    warmup = schedule.warmup
    if warmup is not None:
        given = f"schedule.warmup.epochs ({warmup.epochs:g})"
        if warmup.epochs >= epochs:
            return f"{given} must be less than epochs ({epochs})"
        if schedule.by == "epoch" and warmup.epochs != int(warmup.epochs):
            return f"{given} must be whole where schedule.by is 'epoch'"
    if isinstance(schedule, Step | MultiStep):
        return _steps(schedule, epochs, warmup.epochs if warmup else 0)
    if isinstance(schedule, Cosine) and schedule.restarts >= epochs:
        return f"schedule.restarts ({schedule.restarts}) must be fewer than epochs ({epochs})"
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
