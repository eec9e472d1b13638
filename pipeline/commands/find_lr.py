"""find-lr: a learning rate for params.yaml, by short trials that write no output."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from raresight.pipeline.cleaning.table import left_out
from raresight.pipeline.core import seeds
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.core.params import load_section
from raresight.pipeline.models import device as devices
from raresight.pipeline.runtime.progress import bar
from raresight.pipeline.training.inputs import open_inputs
from raresight.pipeline.training.job import Job, there
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime.distributed import ProcessGroup
from raresight.pipeline.tuning.range_test import RATES, SHARES, RateTrainer, Search, search
from raresight.pipeline.tuning.sharpness import largest_stable_rate, sharpness

STEPS = 150
_IMAGES = 256  # that the sharpness is measured on


@dataclass(frozen=True, kw_only=True)
class Found:
    """The search, the rate in params.yaml, and the sharpness at the initial weights.

    ``stable`` is 2 / sharpness; None where the loss bends downwards only.
    """

    search: Search
    present: float
    optimizer: str
    sharpness: float
    stable: float | None

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        found = self.search
        return {
            "suggestion": found.suggestion,
            "present": self.present,
            "optimizer": self.optimizer,
            "breaks_at": found.breaks_at,
            "trials": {
                f"{rate:g}": loss if np.isfinite(loss) else None
                for rate, loss in found.trials.items()
            },
            "sharpness": self.sharpness,
            "largest_stable_rate_of_gradient_descent": self.stable,
            "range_test": {"rates": found.rates.tolist(), "losses": found.smooth.tolist()},
        }


def run(
    params_file: Path,
    data: Path,
    *,
    device: str = "auto",
    steps: int = STEPS,
    plot: Path | None = None,
) -> Found:
    """Search a rate for the train section; the outputs of the stages stay as they are."""
    params = load_section(params_file, "train", TrainParams)
    require_inputs(data, there(data))
    where = devices.resolve(device)
    devices.prepare(where, params.threads)
    inputs = open_inputs(params_file, params, data, where, left_out=left_out(data))
    job = Job(
        params=params,
        replicate=1,
        inputs=inputs,
        data=data,
        resume="never",
        group=ProcessGroup(),
    )
    with bar() as progress:
        task = progress.add_task("find-lr", total=len(RATES) + len(SHARES) * steps)
        searched = search(
            lambda rates: job.trainer_by(partial(RateTrainer, rates=rates)),
            steps=steps,
            on_step=partial(progress.advance, task),
        )
        bend = _sharpness(job.trainer())
    found = Found(
        search=searched,
        present=params.optimizer.learning_rate,
        optimizer=params.optimizer.name,
        sharpness=bend,
        stable=largest_stable_rate(bend),
    )
    if plot is not None:
        from raresight.pipeline.tuning.figures import draw_search

        draw_search(found.search, found.present, plot)
    return found


def _sharpness(trainer: Trainer) -> float:
    """The sharpness at the initial weights, on a batch without augmentation and dropout."""
    model, index = trainer.model.train(), np.arange(min(_IMAGES, len(trainer.train_feed)))
    for module in model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.eval()
    images, labels = trainer.train_feed.images(index), trainer.train_feed.labels(index)
    loss_of = trainer.loss_in(0)
    return sharpness(
        lambda: loss_of(model(images), labels).mean(),
        [weight for weight in model.parameters() if weight.requires_grad],
        seed=seeds.integer(trainer.params.seed, "sharpness", 0) % 2**62,
    )
