"""Losses for classes that are far from equally frequent."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from raresight.pipeline.training.params import LossParams
from raresight.pipeline.training.params.loss import ClassWeightParams

Loss = Callable[[Tensor, Tensor], Tensor]


def make_loss(
    params: LossParams, counts: np.ndarray, *, epoch: int = 0, device: torch.device | None = None
) -> Loss:
    """A function (logits (n, K), targets (n,)) -> loss per sample (n,).

    ``counts`` (K,) are the images of each class that the epoch shows, and ``epoch`` counts from 0.
    With m the class of a sample, p its score, pi the class shares and n the counts:

    cross_entropy   w_m * -log p
    logit_adjusted  cross-entropy of logits + tau log(pi), so that the bare logits score classes as
                    if all were equally frequent (Menon et al. 2021; with tau = 1 the balanced
                    softmax of Ren et al. 2020)
    focal           w_m * (1 - p) ** gamma * -log p (Lin et al. 2017; with effective-number weights
                    the class-balanced focal loss of Cui et al. 2019)
    ldam            w_m * cross-entropy of logits - scale * margin_m at m, margins n ** -1/4 with
                    the largest at max_margin, for logits that are scale times a cosine
                    (Cao et al. 2019; deferred weights make it LDAM-DRW)
    """
    weights = _on(class_weights(getattr(params, "class_weights", None), counts, epoch), device)
    loss = _KINDS[params.name](params, np.asarray(counts, float), device)
    return lambda logits, targets: weights[targets] * loss(logits.float(), targets)


def class_weights(
    params: ClassWeightParams | None, counts: np.ndarray, epoch: int = 0
) -> np.ndarray:
    """The weight of each class (K,), with mean 1 over the images shown.

    So the loss keeps its size, and a learning rate its meaning, whatever the weights.
    """
    counts = np.maximum(np.asarray(counts, float), 1)
    if params is None or epoch < params.from_epoch:
        return np.ones(len(counts))
    if params.name == "inverse":
        weights = 1 / counts
    else:  # expm1 and log1p: beta ** n is next to 1 for a rare class
        weights = (1 - params.beta) / -np.expm1(counts * np.log(params.beta))
    return weights * counts.sum() / (weights * counts).sum()


def score_prior(params: LossParams, counts: np.ndarray, epoch: int) -> np.ndarray | None:
    """The class shares that a well-trained model's scores take for granted; None if unknown.

    Cross-entropy puts the prior of what is shown, weighted, into the scores, and an adjustment by
    tau log(pi) takes pi ** tau out. Focal loss and LDAM leave no such prior to be named.
    """
    if params.name in ("focal", "ldam"):
        return None
    tau = getattr(params, "tau", None) or getattr(params, "post_hoc_tau", None) or 0.0
    weights = class_weights(getattr(params, "class_weights", None), counts, epoch)
    shares = np.asarray(counts, float) / np.sum(counts)
    prior = weights * shares ** (1 - tau)
    return prior / prior.sum()


def score_offset(params: LossParams, counts: np.ndarray) -> np.ndarray:
    """What is added to the logits after training (K,): -tau log(pi) where asked for, else 0."""
    tau = getattr(params, "post_hoc_tau", None) or 0.0
    return -tau * np.log(np.maximum(counts, 1) / np.sum(counts))


def _on(values: np.ndarray, device: torch.device | None) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32)).to(device)


def _cross_entropy(params, counts: np.ndarray, device) -> Loss:
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=params.label_smoothing
        )

    return loss


def _logit_adjusted(params, counts: np.ndarray, device) -> Loss:
    offset = _on(params.tau * np.log(np.maximum(counts, 1) / counts.sum()), device)
    plain = _cross_entropy(params, counts, device)
    return lambda logits, targets: plain(logits + offset, targets)


def _focal(params, counts: np.ndarray, device) -> Loss:
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        entropy = functional.cross_entropy(logits, targets, reduction="none")
        return (-torch.expm1(-entropy)) ** params.gamma * entropy

    return loss


def _ldam(params, counts: np.ndarray, device) -> Loss:
    margins = np.maximum(counts, 1) ** -0.25
    margins = _on(params.scale * params.max_margin * margins / margins.max(), device)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        less = functional.one_hot(targets, len(margins)) * margins[targets, None]
        return functional.cross_entropy(logits - less, targets, reduction="none")

    return loss


_KINDS = {
    "cross_entropy": _cross_entropy,
    "logit_adjusted": _logit_adjusted,
    "focal": _focal,
    "ldam": _ldam,
}
