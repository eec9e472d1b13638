"""``train.optimizer``: what a step does to the weights, apart from penalties and clipping.

Each optimizer is one class: its keys in params.yaml, torch's optimizer, and what cycled momentum
means for it. This module loads no torch, since reading params.yaml needs none.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import FractionBelowOne

if TYPE_CHECKING:
    import torch

Rate = Annotated[float, Field(gt=0, le=10)]
Group = dict[str, Any]  # torch's: "params", "weight_decay" (decoupled), later "lr"


class Optimizer(Section):
    """Base of every optimizer: a learning rate, and a momentum that a schedule may cycle."""

    name: str
    learning_rate: Rate = 2e-3
    momentum: FractionBelowOne = 0.9

    @abstractmethod
    def build(self, groups: Sequence[Group]) -> "torch.optim.Optimizer":
        """torch's optimizer of these groups, whose weight decay is decoupled from the gradient."""

    @abstractmethod
    def set_momentum(self, group: Group, value: float) -> None:
        """Take steps with this momentum from here on."""


class AdamW(Optimizer):
    """``momentum`` is the decay of the first moment; the second one's is 0.999."""

    name: Literal["adamw"] = "adamw"

    def build(self, groups: Sequence[Group]) -> "torch.optim.Optimizer":
        import torch

        betas = (self.momentum, 0.999)
        return torch.optim.AdamW(groups, lr=self.learning_rate, betas=betas, fused=True)

    def set_momentum(self, group: Group, value: float) -> None:
        group["betas"] = (value, group["betas"][1])


class SGD(Optimizer):
    """Nesterov's, where ``momentum`` is not 0."""

    name: Literal["sgd"] = "sgd"

    def build(self, groups: Sequence[Group]) -> "torch.optim.Optimizer":
        from raresight.pipeline.training.optim.decoupled_sgd import DecoupledSGD

        return DecoupledSGD(groups, lr=self.learning_rate, momentum=self.momentum)

    def set_momentum(self, group: Group, value: float) -> None:
        group["momentum"] = value


OPTIMIZERS = {"adamw": AdamW, "sgd": SGD}
OptimizerParams = Annotated[Optimizer, ByName(OPTIMIZERS, default="adamw")]
