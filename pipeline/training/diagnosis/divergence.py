"""What is watched while a training runs: losses that are no numbers, or that explode."""

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch

from raresight.pipeline.runtime.errors import DivergedError
from raresight.pipeline.training.optim.losses import LossFunction
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.wording.training import diverged

EXPLODED = 1000.0


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """Where a training was broken off.

    ``epoch`` counts from 1; ``loss`` is None where it was no finite number.
    """

    epoch: int
    loss: float | None
    learning_rate: float

    @property
    def numbers(self) -> dict[str, float | None]:
        """As JSON can hold them."""
        return asdict(self)


class LossDivergedError(DivergedError):
    """A DivergedError that knows its numbers."""

    def __init__(self, divergence: Divergence, *, base_rate: float):
        super().__init__(diverged(**asdict(divergence), base_rate=base_rate))
        self.divergence = divergence


def check_loss(
    loss: float, params: TrainParams, *, epoch: int, rate: float, limit: float = math.inf
) -> None:
    """Raise LossDivergedError when the loss of ``epoch`` (from 0) is no number, or not below
    ``limit``.
    """
    if math.isfinite(loss) and loss < limit:
        return
    found = loss if math.isfinite(loss) else None
    divergence = Divergence(epoch=epoch + 1, loss=found, learning_rate=rate)
    raise LossDivergedError(divergence, base_rate=params.optimizer.learning_rate)


def explosion(classes: int) -> float:
    """Uniform scores over K classes lose log K; a thousand times that is an explosion."""
    return EXPLODED * max(1.0, math.log(classes))


def chance_loss(loss_of: LossFunction, class_counts: np.ndarray, device: torch.device) -> float:
    """The loss of the best prediction that is the same for every image.

    ``class_counts`` (K,) are the images of each class: for plain cross-entropy it is their entropy.
    """
    shares = torch.tensor(class_counts / class_counts.sum(), dtype=torch.float32, device=device)
    targets = torch.arange(len(shares), device=device)
    logits = torch.zeros(len(shares), device=device, requires_grad=True)
    search = torch.optim.LBFGS([logits], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = (loss_of(logits.expand(len(shares), -1), targets) * shares).sum()
        loss.backward()
        return loss

    search.step(closure)
    return closure().item()
