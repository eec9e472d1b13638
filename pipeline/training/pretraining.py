"""A first phase of a training, on drawn images say, before the recipe on what it is meant for."""

from raresight.pipeline.core import seeds
from raresight.pipeline.training.optim.schedules import Cosine
from raresight.pipeline.training.params import TrainParams


def first_phase(params: TrainParams) -> TrainParams:
    """The params of the first phase: the recipe's but for its length, schedule and seed.

    It looks at no validation: it stops nowhere, and its last weights are kept. Raises ValueError
    where none is asked for.
    """
    phase, warmup = params.pretrain, params.schedule.warmup
    if phase is None:
        raise ValueError("train.pretrain is null: there is no first phase")
    fits = warmup is not None and warmup.epochs < phase.epochs
    changes = {
        "epochs": phase.epochs,
        "schedule": Cosine(warmup=warmup if fits else None, min_lr_ratio=0.0),
        "early_stopping": None,
        "checkpoint": "last",
        "seed": seeds.integer(params.seed, "first phase", 0),
    }
    return params.model_copy(update=changes)
