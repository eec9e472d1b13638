"""Learning-rate schedules as pure functions of the step."""

import math

from pipeline.training.params import ScheduleParams


def learning_rate(
    step: int, *, base: float, total: int, steps_per_epoch: int, schedule: ScheduleParams
) -> float:
    """The learning rate of ``step`` in [0, total).

    Over the warm-up's w steps the rate climbs linearly, step k having (k + 1) / w of ``base``.
    After it, with t in [0, 1) the share of the remaining steps that are done and f the final share:

    cosine       base * (f + (1 - f) * (1 + cos(pi t)) / 2)        (Loshchilov & Hutter 2017)
    exponential  base * f ** t
    constant     base
    """
    warmup = round(schedule.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return base * (step + 1) / warmup
    t = (step - warmup) / max(1, total - warmup)
    return base * _decay(schedule.name, t, schedule.final_share)


def _decay(name: str, t: float, final: float) -> float:
    if name == "cosine":
        return final + (1 - final) * (1 + math.cos(math.pi * t)) / 2
    if name == "exponential":
        return final**t
    return 1.0
