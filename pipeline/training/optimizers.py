"""Optimisers with decoupled weight decay on the weights that should shrink, and on no others."""

import torch
from torch import nn

from pipeline.training.params import OptimizerParams


class DecoupledSGD(torch.optim.SGD):
    """Nesterov SGD whose weight decay shrinks weights by (1 - lr * wd), apart from the gradient.

    (Loshchilov & Hutter 2019; torch's own SGD adds the decay to the gradient.)
    """

    def __init__(self, groups: list[dict], *, lr: float, momentum: float):
        decays = [group.pop("weight_decay") for group in groups]
        super().__init__(groups, lr=lr, momentum=momentum, nesterov=momentum > 0)
        for group, decay in zip(self.param_groups, decays, strict=True):
            group["decoupled_decay"] = decay

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            if group["decoupled_decay"]:
                torch._foreach_mul_(group["params"], 1 - group["lr"] * group["decoupled_decay"])
        return super().step(closure)


def make_optimizer(model: nn.Module, params: OptimizerParams) -> torch.optim.Optimizer:
    """The optimiser of params.yaml; biases and norms (all with fewer than two axes) never decay."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in trained if w.ndim >= 2], "weight_decay": params.weight_decay},
        {"params": [w for w in trained if w.ndim < 2], "weight_decay": 0.0},
    ]
    if params.name == "sgd":
        return DecoupledSGD(groups, lr=params.learning_rate, momentum=params.momentum)
    betas = (params.momentum, 0.999)
    return torch.optim.AdamW(groups, lr=params.learning_rate, betas=betas, fused=True)
