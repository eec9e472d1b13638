"""One step of the weights: penalties, clipping, the optimizer, exact zeros."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from raresight.pipeline.training.params import TrainParams

_SCALE = "rate_scale"  # of a group of the optimizer


class Update:
    """One step of a model's weights by their gradients, as ``params`` say.

    ``scales`` has, by a weight's ``id``, what the learning rate is multiplied by for it; 1 where it
    is not told. The state is the optimizer's alone: ``update.optimizer.state_dict()``.
    """

    def __init__(
        self, model: nn.Module, params: TrainParams, scales: Mapping[int, float] | None = None
    ):
        self._params = params
        self._trained = [weight for weight in model.parameters() if weight.requires_grad]
        everything = params.regularization.decay_bias_and_norm
        self._shrunk = [w for w in self._trained if everything or w.ndim >= 2]
        shrunk = set(map(id, self._shrunk))
        spared = [w for w in self._trained if id(w) not in shrunk]
        decay = params.regularization.weight_decay
        groups: list[dict[str, Any]] = [
            {"params": same, "weight_decay": strength, _SCALE: scale}
            for weights, strength in ((self._shrunk, decay), (spared, 0.0))
            for scale, same in _by_scale(weights, scales or {})
        ]
        groups.sort(key=lambda group: -group[_SCALE])  # the first has the rate of the last layer
        self.optimizer = params.optimizer.build(groups)

    @property
    def rate(self) -> float:
        """The learning rate of the next step, where nothing makes it smaller."""
        return self.optimizer.param_groups[0]["lr"]

    @rate.setter
    def rate(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = value * group[_SCALE]

    def set_momentum(self, value: float) -> None:
        """The momentum of the steps from here on."""
        for group in self.optimizer.param_groups:
            self._params.optimizer.set_momentum(group, value)

    @torch.no_grad()
    def step(self) -> Tensor:
        """Take one step, the gradients being there; returns their norm before clipping."""
        strength, clip = self._params.regularization, self._params.gradient_clip
        if strength.l2:  # the gradient of l2 / 2 * sum(w ** 2)
            shrunk = [w.data for w in self._shrunk if w.grad is not None]
            torch._foreach_add_(_gradients(self._shrunk), shrunk, alpha=strength.l2)
        moved = [weight for weight in self._trained if weight.grad is not None]
        norm = nn.utils.get_total_norm(_gradients(moved))
        if clip is not None:
            nn.utils.clip_grads_with_norm_(moved, clip, norm)
        self.optimizer.step()
        if strength.l1:
            penalized = set(map(id, self._shrunk))
            for group in self.optimizer.param_groups:
                weights = [weight for weight in group["params"] if id(weight) in penalized]
                soft_threshold(weights, group["lr"] * strength.l1)
        return norm


def _by_scale(
    weights: Iterable[Tensor], scales: Mapping[int, float]
) -> list[tuple[float, list[Tensor]]]:
    found: dict[float, list[Tensor]] = {}
    for weight in weights:
        found.setdefault(scales.get(id(weight), 1.0), []).append(weight)
    return list(found.items())


def _gradients(weights: Iterable[Tensor]) -> list[Tensor]:
    return [weight.grad for weight in weights if weight.grad is not None]


@torch.no_grad()
def soft_threshold(weights: Sequence[Tensor], amount: float) -> None:
    """Move every weight towards 0 by ``amount``, and to exactly 0 where that would cross it.

    The proximal step of ``amount * sum(abs(w))``; a subgradient step never stays at 0.
    """
    for weight in weights:
        weight.copy_(torch.nn.functional.softshrink(weight, amount))
