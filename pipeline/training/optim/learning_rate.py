"""The learning rate and the momentum of a step: a warm-up, then what the schedule says."""

import math
from collections.abc import Sequence

from raresight.pipeline.training.optim.schedules import Place, Schedule


def learning_rate(
    step: int,
    *,
    base: float,
    epochs: int,
    steps_per_epoch: int,
    schedule: Schedule,
    history: Sequence[float] = (),
) -> float:
    """The learning rate of ``step`` in [0, epochs * steps_per_epoch).

    An update is a step, or an epoch where the schedule goes by epochs. Over the warm-up's w updates
    the rate climbs to the one that the schedule begins at, update k having, with the start factor
    s, s + (1 - s) (k + 1) / w of it (linear) or s ** (1 - (k + 1) / w) (exponential). After it the
    rate is ``base`` times the schedule's ``lr_ratio``.

    ``history`` holds what the schedule monitors, a value for each finished epoch.
    """
    done, warm, per_epoch = _updates(step, steps_per_epoch, schedule)

    def at(update: int) -> float:
        place = Place(
            done=update - warm,
            total=max(1, epochs * per_epoch - warm),
            epoch=update / per_epoch,
            history=history[math.ceil(warm / per_epoch) :],
        )
        return base * schedule.lr_ratio(place)

    if schedule.warmup is None or done >= warm:
        return at(done)
    return at(warm) * schedule.warmup.lr_ratio((done + 1) / warm)


def momentum(step: int, *, epochs: int, steps_per_epoch: int, schedule: Schedule) -> float | None:
    """The momentum of ``step``, where the schedule cycles it against the rate; else None."""
    done, warm, per_epoch = _updates(step, steps_per_epoch, schedule)
    total = max(1, epochs * per_epoch - warm)
    return schedule.momentum_at(
        Place(done=max(0, done - warm), total=total, epoch=done / per_epoch)
    )


def _updates(step: int, steps_per_epoch: int, schedule: Schedule) -> tuple[int, int, int]:
    """The updates before ``step``, those of the warm-up, and those of an epoch."""
    by_step, warmup = schedule.interval == "step", schedule.warmup
    done, per_epoch = (step, steps_per_epoch) if by_step else (step // steps_per_epoch, 1)
    return done, round(warmup.epochs * per_epoch) if warmup else 0, per_epoch
