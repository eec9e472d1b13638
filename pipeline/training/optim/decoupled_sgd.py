"""SGD with decoupled weight decay, which torch has for Adam alone."""

from collections.abc import Callable, Sequence
from typing import Any

import torch


class DecoupledSGD(torch.optim.SGD):
    """Nesterov SGD whose weight decay shrinks weights by (1 - lr * wd), apart from the gradient.

    (Loshchilov & Hutter 2019; torch's own SGD adds the decay to the gradient.)
    """

    def __init__(self, groups: Sequence[dict[str, Any]], *, lr: float, momentum: float):
        plain = [{k: v for k, v in group.items() if k != "weight_decay"} for group in groups]
        super().__init__(plain, lr=lr, momentum=momentum, nesterov=momentum > 0)
        for made, group in zip(self.param_groups, groups, strict=True):
            made["decoupled_decay"] = group["weight_decay"]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        for group in self.param_groups:
            if group["decoupled_decay"]:
                torch._foreach_mul_(group["params"], 1 - group["lr"] * group["decoupled_decay"])
        return super().step(closure)
