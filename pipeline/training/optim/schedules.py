"""Learning-rate schedules as pure functions of the step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from raresight.pipeline.training.params import schedule as kinds
from raresight.pipeline.training.params.schedule import ScheduleParams, WarmupParams

_ROUNDING = 1e-9  # a restart that falls on a step must not miss it by the last bit


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a step is: ``done`` of ``total`` updates after the warm-up, ``epoch`` of all."""

    done: int
    total: int
    epoch: float
    history: Sequence[float]

    @property
    def t(self) -> float:
        return self.done / self.total


def learning_rate(
    step: int,
    *,
    base: float,
    epochs: int,
    steps_per_epoch: int,
    schedule: ScheduleParams,
    history: Sequence[float] = (),
) -> float:
    """The learning rate of ``step`` in [0, epochs * steps_per_epoch).

    An update is a step, or an epoch where the schedule goes by epochs. Over the warm-up's w updates
    the rate climbs to the one that the schedule begins at, update k having, with the start share s,

    linear       s + (1 - s) (k + 1) / w
    exponential  s ** (1 - (k + 1) / w)

    of it. After the warm-up, with t in [0, 1) the share of the remaining updates that are done and
    f the final share, the rate is ``base`` times

    constant     1
    linear       1 - (1 - f) t
    exponential  f ** t
    step         factor ** (epochs since the start // every)
    multi_step   factor ** (milestones reached)
    polynomial   f + (1 - f) (1 - t) ** power
    cosine       f + (1 - f) (1 + cos(pi t)) / 2, t within each run (Loshchilov & Hutter 2017)
    one_cycle    half a cosine up, half a cosine down (Smith & Topin 2018), as torch's OneCycleLR
    on_plateau   max(factor ** reductions, f), as torch's ReduceLROnPlateau with threshold_mode abs

    ``history`` holds what ``on_plateau`` monitors, a value for each finished epoch.
    """
    done, warm, per_epoch = _updates(step, steps_per_epoch, schedule)

    def at(update: int) -> float:
        place = _Place(
            done=update - warm,
            total=max(1, epochs * per_epoch - warm),
            epoch=update / per_epoch,
            history=history[math.ceil(warm / per_epoch) :],
        )
        return base * _SHARES[schedule.name](schedule, place)

    return at(done) if done >= warm else at(warm) * _climb(schedule.warmup, (done + 1) / warm)


def momentum(
    step: int, *, epochs: int, steps_per_epoch: int, schedule: ScheduleParams
) -> float | None:
    """The momentum of ``step``, where the schedule cycles it against the rate; else None.

    That of one_cycle is highest where the rate begins and ends, through a warm-up, too, and lowest
    at the rate's peak, with half cosines between, as torch's OneCycleLR has it.
    """
    cycled = getattr(schedule, "momentum", None)
    if cycled is None:
        return None
    done, warm, per_epoch = _updates(step, steps_per_epoch, schedule)
    total = max(1, epochs * per_epoch - warm)
    place = _Place(done=max(0, done - warm), total=total, epoch=done / per_epoch, history=())
    return _cycle(schedule.pct_start, place, cycled.highest, cycled.lowest, cycled.highest)


def _updates(step: int, steps_per_epoch: int, schedule: ScheduleParams) -> tuple[int, int, int]:
    """The updates before ``step``, those of the warm-up, and those of an epoch."""
    by_step, warmup = schedule.interval == "step", schedule.warmup
    done, per_epoch = (step, steps_per_epoch) if by_step else (step // steps_per_epoch, 1)
    return done, round(warmup.epochs * per_epoch) if warmup else 0, per_epoch


def reductions(history: Sequence[float], plateau: kinds.OnPlateau) -> int:
    """How often the rate was lowered after epochs with these values of what is monitored."""
    sign = 1 if plateau.monitor == "val_average_precision" else -1
    best, waited, count = -math.inf, 0, 0
    for value in history:
        if sign * value > best + plateau.min_delta:
            best, waited = sign * value, 0
        else:
            waited += 1
        if waited > plateau.patience:
            count, waited = count + 1, 0
    return count


def _climb(warmup: WarmupParams, done: float) -> float:
    start = warmup.start_factor
    return start + (1 - start) * done if warmup.name == "linear" else start ** (1 - done)


def _half_cosine(start: float, end: float, t: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * t)) / 2


def _cosine(params: kinds.Cosine, place: _Place) -> float:
    runs, stretch = params.num_restarts + 1, params.t_mult
    length = 1 / runs if stretch == 1 else (stretch - 1) / (stretch**runs - 1)
    t = place.t
    for _ in range(params.num_restarts):
        if t < length - _ROUNDING:
            break
        t, length = t - length, length * stretch
    return _half_cosine(1.0, params.min_lr_ratio, max(0.0, t) / length)


def _one_cycle(params: kinds.OneCycle, place: _Place) -> float:
    return _cycle(params.pct_start, place, params.start_factor, 1.0, params.min_lr_ratio)


def _cycle(rise: float, place: _Place, first: float, peak: float, last: float) -> float:
    """Half a cosine from ``first`` to ``peak``, half a cosine on to ``last``."""
    turn, end = rise * place.total - 1, place.total - 1
    if place.done <= turn:
        return _half_cosine(first, peak, place.done / max(turn, 1))
    return _half_cosine(peak, last, (place.done - turn) / max(end - turn, 1))


def _polynomial(params: kinds.Polynomial, place: _Place) -> float:
    return params.min_lr_ratio + (1 - params.min_lr_ratio) * (1 - place.t) ** params.power


def _multi_step(params: kinds.MultiStep, place: _Place) -> float:
    return params.factor ** sum(place.epoch >= milestone for milestone in params.milestones)


def _on_plateau(params: kinds.OnPlateau, place: _Place) -> float:
    return max(params.factor ** reductions(place.history, params), params.min_lr_ratio)


_SHARES = {
    "constant": lambda params, place: 1.0,
    "linear": lambda params, place: 1 - (1 - params.min_lr_ratio) * place.t,
    "exponential": lambda params, place: params.min_lr_ratio**place.t,
    "step": lambda params, place: params.factor ** (place.epoch // params.every),
    "multi_step": _multi_step,
    "polynomial": _polynomial,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
    "on_plateau": _on_plateau,
}
