"""What is watched while a training runs: losses that are no numbers, or that explode."""

import math

import numpy as np
import torch

from raresight.pipeline.runtime.errors import DivergedError
from raresight.pipeline.training.optim.losses import Loss
from raresight.pipeline.training.params import TrainParams

EXPLODED = 1000.0


def check_loss(
    loss: float, params: TrainParams, *, epoch: int, rate: float, limit: float = math.inf
) -> None:
    """Raise DivergedError when the loss of ``epoch`` (from 0) is no number, or beyond ``limit``."""
    if math.isfinite(loss) and loss < limit:
        return
    raise DivergedError(
        f"training diverged in epoch {epoch + 1}: the loss is {loss:g} at learning rate {rate:g}. "
        "Lower train.optimizer.learning_rate (try "
        f"{params.optimizer.learning_rate / 10:g}), lengthen train.schedule.warmup.epochs, "
        "or set train.gradient_clip: 1.0."
    )


def explosion(classes: int) -> float:
    """A guess that knows nothing loses log K; a thousand times that is an explosion."""
    return EXPLODED * max(1.0, math.log(classes))


def chance_loss(loss_of: Loss, shows: np.ndarray, device: torch.device) -> float:
    """The loss of the best answer that is the same for every image.

    ``shows`` (K,) are the images of each class: for plain cross-entropy it is their entropy.
    """
    shares = torch.tensor(shows / shows.sum(), dtype=torch.float32, device=device)
    targets = torch.arange(len(shares), device=device)
    answer = torch.zeros(len(shares), device=device, requires_grad=True)
    search = torch.optim.LBFGS([answer], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = (loss_of(answer.expand(len(shares), -1), targets) * shares).sum()
        loss.backward()
        return loss

    search.step(closure)
    return closure().item()
