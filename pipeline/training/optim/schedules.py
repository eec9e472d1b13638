"""``train.schedule``: learning-rate schedules, pure functions of the place in the training.

Each schedule is one class: its keys in params.yaml, and the share of the learning rate that it
gives each update.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import Fraction, FractionAboveZero
from raresight.pipeline.training.optim.warmup import WarmupParams

Epoch = Annotated[int, Field(ge=1, le=100_000)]
Factor = Annotated[float, Field(gt=0, lt=1)]

_ROUNDING = 1e-9  # a restart that falls on a step must not miss it by the last bit


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an update is: ``done`` of ``total`` updates after the warm-up, ``epoch`` of all.

    An update is a step, or an epoch where the schedule goes by epochs. ``history`` holds what the
    schedule monitors, a value for each finished epoch after the warm-up.
    """

    done: int
    total: int
    epoch: float
    history: Sequence[float] = ()

    @property
    def t(self) -> float:
        """The share of the updates that are done, in [0, 1)."""
        return self.done / self.total


class Schedule(Section):
    """Base of every schedule: the rate changes at every step or every epoch."""

    name: str
    interval: Literal["step", "epoch"] = "step"
    warmup: WarmupParams | None = WarmupParams()

    @abstractmethod
    def lr_ratio(self, place: Place) -> float:
        """The share of the learning rate, in [0, 1], at a place after the warm-up."""

    def momentum_at(self, place: Place) -> float | None:
        """The momentum there, where the schedule cycles it against the rate; else None."""
        return None

    @property
    def cycles_momentum(self) -> bool:
        """Whether it has a momentum of its own."""
        return False

    @property
    def monitored(self) -> str | None:
        """The column of the curves that the rate depends on, if it does."""
        return None

    def contradiction(self, epochs: int) -> str | None:
        """Why it makes no sense in a training of so many epochs, both keys named."""
        if self.warmup is None:
            return None
        given = f"schedule.warmup.epochs ({self.warmup.epochs:g})"
        if self.warmup.epochs >= epochs:
            return f"{given} must be less than epochs ({epochs})"
        if self.interval == "epoch" and self.warmup.epochs != int(self.warmup.epochs):
            return f"{given} must be whole where schedule.interval is 'epoch'"
        return None

    def _unreached(self, name: str, first: int, last: int, epochs: int) -> str | None:
        """Why the rate would not change at the epochs ``first`` to ``last``."""
        warm = self.warmup.epochs if self.warmup else 0
        if last >= epochs:
            return f"{name} ({last}) must be less than epochs ({epochs}): it would never be reached"
        if first < warm:
            return f"{name} ({first}) must not lie within schedule.warmup.epochs ({warm:g})"
        return None


class Constant(Schedule):
    """The rate itself."""

    name: Literal["constant"] = "constant"

    def lr_ratio(self, place: Place) -> float:
        return 1.0


class Linear(Schedule):
    """Straight down to ``min_lr_ratio`` of the rate."""

    name: Literal["linear"] = "linear"
    min_lr_ratio: Fraction = 0.01

    def lr_ratio(self, place: Place) -> float:
        return 1 - (1 - self.min_lr_ratio) * place.t


class Exponential(Schedule):
    """By the same factor every time, down to ``min_lr_ratio`` of the rate."""

    name: Literal["exponential"] = "exponential"
    min_lr_ratio: FractionAboveZero = 0.01

    def lr_ratio(self, place: Place) -> float:
        return self.min_lr_ratio**place.t


class Step(Schedule):
    """Times ``factor`` after ``every`` so many epochs."""

    name: Literal["step"] = "step"
    every: Epoch = 30
    factor: Factor = 0.1

    def lr_ratio(self, place: Place) -> float:
        return self.factor ** (place.epoch // self.every)

    def contradiction(self, epochs: int) -> str | None:
        return super().contradiction(epochs) or self._unreached(
            "schedule.every", self.every, self.every, epochs
        )


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

    def lr_ratio(self, place: Place) -> float:
        return self.factor ** sum(place.epoch >= milestone for milestone in self.milestones)

    def contradiction(self, epochs: int) -> str | None:
        return super().contradiction(epochs) or self._unreached(
            "schedule.milestones", self.milestones[0], self.milestones[-1], epochs
        )


class Polynomial(Schedule):
    """Down to ``min_lr_ratio`` of the rate as (1 - t) ** ``power``."""

    name: Literal["polynomial"] = "polynomial"
    power: Annotated[float, Field(gt=0, le=10)] = 1.0
    min_lr_ratio: Fraction = 0.01

    def lr_ratio(self, place: Place) -> float:
        return self.min_lr_ratio + (1 - self.min_lr_ratio) * (1 - place.t) ** self.power


class Cosine(Schedule):
    """Half a cosine down to ``min_lr_ratio``, begun again ``num_restarts`` times.

    Each run after a restart is ``t_mult`` times as long as the one before (Loshchilov & Hutter
    2017).
    """

    name: Literal["cosine"] = "cosine"
    min_lr_ratio: Fraction = 0.01
    num_restarts: Annotated[int, Field(ge=0, le=1000)] = 0
    t_mult: Annotated[float, Field(ge=1, le=10)] = 1.0

    def lr_ratio(self, place: Place) -> float:
        runs, stretch = self.num_restarts + 1, self.t_mult
        # The share of all updates that the first run has; the runs are a geometric series.
        length = 1 / runs if stretch == 1 else (stretch - 1) / (stretch**runs - 1)
        t = place.t
        for _ in range(self.num_restarts):
            if t < length - _ROUNDING:
                break
            t, length = t - length, length * stretch
        return _half_cosine(1.0, self.min_lr_ratio, max(0.0, t) / length)

    def contradiction(self, epochs: int) -> str | None:
        given = f"schedule.num_restarts ({self.num_restarts})"
        fewer = f"{given} must be fewer than epochs ({epochs})"
        return super().contradiction(epochs) or (fewer if self.num_restarts >= epochs else None)


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

    Both by half a cosine, as torch's OneCycleLR (Smith & Topin 2018). ``momentum`` takes the place
    of the optimizer's, highest through a warm-up, too; null leaves that as it is.
    """

    name: Literal["one_cycle"] = "one_cycle"
    start_factor: FractionAboveZero = 0.04
    pct_start: Annotated[float, Field(gt=0, lt=1)] = 0.3
    min_lr_ratio: Fraction = 0.01
    momentum: CycledMomentum | None = None

    def lr_ratio(self, place: Place) -> float:
        return self._cycle(place, self.start_factor, 1.0, self.min_lr_ratio)

    @property
    def cycles_momentum(self) -> bool:
        return self.momentum is not None

    def momentum_at(self, place: Place) -> float | None:
        cycled = self.momentum
        if cycled is None:
            return None
        return self._cycle(place, cycled.highest, cycled.lowest, cycled.highest)

    def _cycle(self, place: Place, first: float, peak: float, last: float) -> float:
        """Half a cosine from ``first`` to ``peak``, half a cosine on to ``last``."""
        turn, end = self.pct_start * place.total - 1, place.total - 1
        if place.done <= turn:
            return _half_cosine(first, peak, place.done / max(turn, 1))
        return _half_cosine(peak, last, (place.done - turn) / max(end - turn, 1))


class OnPlateau(Schedule):
    """Times ``factor`` after more than ``patience`` epochs in which ``monitor`` did not get better.

    Better is by more than ``min_delta``; the rate never falls below ``min_lr_ratio``. As torch's
    ReduceLROnPlateau with threshold_mode abs.
    """

    name: Literal["on_plateau"] = "on_plateau"
    monitor: Literal["val_average_precision", "val_loss"] = "val_average_precision"
    factor: Factor = 0.5
    patience: Annotated[int, Field(ge=0, le=100_000)] = 5
    min_delta: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    min_lr_ratio: Fraction = 0.01

    def lr_ratio(self, place: Place) -> float:
        return max(self.factor ** self.reductions(place.history), self.min_lr_ratio)

    @property
    def monitored(self) -> str | None:
        return self.monitor

    def reductions(self, history: Sequence[float]) -> int:
        """How often the rate was lowered after epochs with these values of what is monitored."""
        sign = 1 if self.monitor == "val_average_precision" else -1
        best, waited, count = -math.inf, 0, 0
        for value in history:
            if sign * value > best + self.min_delta:
                best, waited = sign * value, 0
            else:
                waited += 1
            if waited > self.patience:
                count, waited = count + 1, 0
        return count


def _half_cosine(start: float, end: float, t: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * t)) / 2


SCHEDULES = {
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
ScheduleParams = Annotated[Schedule, ByName(SCHEDULES, default="cosine")]
