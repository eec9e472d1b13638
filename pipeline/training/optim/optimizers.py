"""What a step does to the weights: penalties, clipping, the optimiser, exact zeros."""

import torch
from torch import nn

from raresight.pipeline.training.params import TrainParams


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


class Update:
    """One step of a model's weights by their gradients, as ``params`` say.

    The state is the optimiser's alone: ``update.optimizer.state_dict()``.
    """

    def __init__(self, model: nn.Module, params: TrainParams):
        self._params = params
        self._trained = [weight for weight in model.parameters() if weight.requires_grad]
        everything = params.regularization.decay_bias_and_norm
        self._shrunk = [w for w in self._trained if everything or w.ndim >= 2]
        self.optimizer = self._make()

    def _make(self) -> torch.optim.Optimizer:
        optimizer, shrunk = self._params.optimizer, set(map(id, self._shrunk))
        decay = self._params.regularization.weight_decay
        groups = [
            {"params": self._shrunk, "weight_decay": decay},
            {
                "params": [w for w in self._trained if id(w) not in shrunk],
                "weight_decay": 0.0,
            },
        ]
        groups = [group for group in groups if group["params"]]
        if optimizer.name == "sgd":
            return DecoupledSGD(groups, lr=optimizer.learning_rate, momentum=optimizer.momentum)
        betas = (optimizer.momentum, 0.999)
        return torch.optim.AdamW(groups, lr=optimizer.learning_rate, betas=betas, fused=True)

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.optimizer.param_groups[0]["lr"]

    @rate.setter
    def rate(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def set_momentum(self, value: float) -> None:
        """The momentum of the steps from here on: SGD's, or AdamW's first decay."""
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (value, group["betas"][1])
            else:
                group["momentum"] = value

    @torch.no_grad()
    def step(self) -> torch.Tensor:
        """Take one step, the gradients being there; returns their norm before clipping."""
        strength, clip = self._params.regularization, self._params.gradient_clip
        if strength.l2:  # the gradient of l2 / 2 * sum(w ** 2)
            shrunk = [weight for weight in self._shrunk if weight.grad is not None]
            torch._foreach_add_([w.grad for w in shrunk], shrunk, alpha=strength.l2)
        moved = [weight for weight in self._trained if weight.grad is not None]
        norm = nn.utils.get_total_norm([weight.grad for weight in moved])
        if clip is not None:
            nn.utils.clip_grads_with_norm_(moved, clip, norm)
        self.optimizer.step()
        if strength.l1:
            soft_threshold(self._shrunk, self.rate * strength.l1)
        return norm


@torch.no_grad()
def soft_threshold(weights: list[torch.Tensor], amount: float) -> None:
    """Move every weight towards 0 by ``amount``, and to exactly 0 where that would cross it.

    The proximal step of ``amount * sum(abs(w))``; a subgradient step never stays at 0.
    """
    for weight in weights:
        weight.copy_(torch.nn.functional.softshrink(weight, amount))
