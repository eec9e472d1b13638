"""Losses for classes that are far from equally frequent."""

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.training.params import LossParams


def make_loss(params: LossParams, log_prior: Tensor):
    """A function (logits (n, K), targets (n,)) -> loss per sample (n,).

    ``logit_adjusted`` adds the log of the class shares that training shows to the logits before the
    cross-entropy, so that the bare logits score classes as if all were equally frequent (Menon et
    al. 2021; Ren et al. 2020 call it the balanced softmax).
    """
    offset = log_prior if params.name == "logit_adjusted" else torch.zeros_like(log_prior)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(
            logits.float() + offset,
            targets,
            reduction="none",
            label_smoothing=params.label_smoothing,
        )

    return loss
