"""``train.loss``: what is minimized, for classes that are far from equally frequent.

Each loss is one class: its keys in params.yaml, the loss of a sample, and what its minimum implies
for whoever reads the scores. This module loads no torch, since reading params.yaml needs none.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import FractionBelowOne
from raresight.pipeline.core.registry import Registry

if TYPE_CHECKING:
    import torch
    from torch import Tensor

LossFunction = Callable[["Tensor", "Tensor"], "Tensor"]  # logits (n, K), targets (n,) -> (n,)
Tau = Annotated[float, Field(gt=0, le=10)]


class ClassWeights(Section):
    """Before ``from_epoch`` (0 is the first) all classes weigh alike: deferred re-weighting."""

    name: str
    from_epoch: Annotated[int, Field(ge=0, le=100_000)] = 0

    @abstractmethod
    def of(self, counts: np.ndarray) -> np.ndarray:
        """The weight of a class of n images, (K,) to (K,); only their proportions count."""


class InverseWeights(ClassWeights):
    """1 / n for a class of n images."""

    name: Literal["inverse"] = "inverse"

    def of(self, counts: np.ndarray) -> np.ndarray:
        return 1 / counts


class EffectiveWeights(ClassWeights):
    """(1 - beta) / (1 - beta ** n) for a class of n images: its effective number."""

    name: Literal["effective_number"] = "effective_number"
    beta: Annotated[float, Field(gt=0, lt=1)] = 0.999

    def of(self, counts: np.ndarray) -> np.ndarray:
        # expm1 and log1p: beta ** n is next to 1 for a rare class
        return (1 - self.beta) / -np.expm1(counts * np.log(self.beta))


CLASS_WEIGHTS = {"inverse": InverseWeights, "effective_number": EffectiveWeights}
ClassWeightParams = Annotated[ClassWeights, ByName(CLASS_WEIGHTS)]


@dataclass(frozen=True, kw_only=True)
class Implied:
    """What a loss means for the scores that it makes, and what it asks of the last layer.

    ``prior_removed`` is the power of the class shares that training takes out of the scores: 0
    leaves the prior in them, 1 makes them those of equally frequent classes. None: they hold no
    prior that could be named. ``corrects_prior`` says whether the loss makes up for classes that
    are not equally frequent, so that evening them out by the sampler, too, would be one correction
    too many. ``cosine_scale``: the logits are to be that times the cosines between features and
    weights; None: a plain last layer. ``removed_afterwards`` is the power of the class shares that
    is taken out of the scores after training, by an offset to the logits.
    """

    prior_removed: float | None
    corrects_prior: bool
    cosine_scale: float | None
    removed_afterwards: float = 0.0


class Loss(Section):
    """Base of every loss, also of those in other packages."""

    name: str

    @property
    @abstractmethod
    def implied(self) -> Implied:
        """What follows from this loss with these params."""

    @abstractmethod
    def per_sample(self, counts: np.ndarray, device: "torch.device | None") -> LossFunction:
        """A function (logits float32 (n, K), targets int64 (n,)) -> loss of each sample (n,).

        ``counts``, float (K,), are the images of each class that the epoch shows. Class weights are
        no part of it.
        """

    def weights(self, counts: np.ndarray, epoch: int) -> np.ndarray:
        """The weight of each class (K,), with mean 1 over the images shown."""
        return np.ones(len(counts))

    def function(
        self, counts: np.ndarray, *, epoch: int = 0, device: "torch.device | None" = None
    ) -> LossFunction:
        """A function (logits (n, K), targets (n,)) -> weighted loss of each sample (n,).

        ``counts`` (K,) are the images of each class that the epoch shows; ``epoch`` counts from 0.
        """
        weights = _on(self.weights(counts, epoch), device)
        loss = self.per_sample(np.asarray(counts, float), device)
        return lambda logits, targets: weights[targets] * loss(logits.float(), targets)

    def score_prior(self, counts: np.ndarray, epoch: int) -> np.ndarray | None:
        """The class shares (K,) that a well-trained model's scores take for granted; None: unknown.

        A weight counts as so many more images, and what is taken out of the scores is not in them.
        """
        implied = self.implied
        if implied.prior_removed is None:
            return None
        shares = np.asarray(counts, float) / np.sum(counts)
        left = 1 - (implied.prior_removed + implied.removed_afterwards)
        prior = self.weights(counts, epoch) * shares**left
        return prior / prior.sum()

    def score_offset(self, counts: np.ndarray) -> np.ndarray:
        """What is added to the logits after training (K,): -tau log(pi) where asked for, else 0."""
        tau = self.implied.removed_afterwards
        return -tau * np.log(np.maximum(counts, 1) / np.sum(counts))


class Weighted(Loss):
    """Base of the losses whose classes can be weighted."""

    class_weights: ClassWeightParams | None = None

    def weights(self, counts: np.ndarray, epoch: int) -> np.ndarray:
        """So the loss keeps its size, and a learning rate its meaning, whatever the weights."""
        counts = np.maximum(np.asarray(counts, float), 1)
        if self.class_weights is None or epoch < self.class_weights.from_epoch:
            return np.ones(len(counts))
        weights = self.class_weights.of(counts)
        return weights * counts.sum() / (weights * counts).sum()


class CrossEntropy(Weighted):
    """w_m * -log p, for a sample of class m with score p.

    It leaves the prior in the scores; ``post_hoc_tau`` takes it out of them after training.
    """

    name: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: FractionBelowOne = 0.0
    post_hoc_tau: Tau | None = None

    @property
    def implied(self) -> Implied:
        return Implied(
            prior_removed=0.0,
            removed_afterwards=self.post_hoc_tau or 0.0,
            corrects_prior=self.post_hoc_tau is not None or self.class_weights is not None,
            cosine_scale=None,
        )

    def per_sample(self, counts: np.ndarray, device: "torch.device | None") -> LossFunction:
        return _cross_entropy(self.label_smoothing)


class LogitAdjusted(Loss):
    """Adds tau * log(prior) to the logits in training; with tau = 1 the balanced softmax.

    So the bare logits score classes as if all were equally frequent (Menon et al. 2021; the
    balanced softmax is Ren et al. 2020's).
    """

    name: Literal["logit_adjusted"] = "logit_adjusted"
    tau: Tau = 1.0
    label_smoothing: FractionBelowOne = 0.0

    @property
    def implied(self) -> Implied:
        return Implied(prior_removed=self.tau, corrects_prior=True, cosine_scale=None)

    def per_sample(self, counts: np.ndarray, device: "torch.device | None") -> LossFunction:
        offset = _on(self.tau * np.log(np.maximum(counts, 1) / counts.sum()), device)
        plain = _cross_entropy(self.label_smoothing)
        return lambda logits, targets: plain(logits + offset, targets)


class Focal(Weighted):
    """w_m * (1 - p) ** gamma * -log p, p being the score of the true class m (Lin et al. 2017).

    With effective-number weights it is the class-balanced focal loss of Cui et al. 2019.
    """

    name: Literal["focal"] = "focal"
    gamma: Annotated[float, Field(ge=0, le=10)] = 2.0

    @property
    def implied(self) -> Implied:
        corrects = self.class_weights is not None
        return Implied(prior_removed=None, corrects_prior=corrects, cosine_scale=None)

    def per_sample(self, counts: np.ndarray, device: "torch.device | None") -> LossFunction:
        import torch

        plain = _cross_entropy()

        def loss(logits: "Tensor", targets: "Tensor") -> "Tensor":
            entropy = plain(logits, targets)
            return (-torch.expm1(-entropy)) ** self.gamma * entropy

        return loss


class LDAM(Weighted):
    """A margin per class, n ** -1/4 scaled so that the rarest has ``max_margin``.

    The margins are between cosines: the last layer compares directions, its logits are ``scale``
    times the cosine (Cao et al. 2019; deferred weights make it LDAM-DRW).
    """

    name: Literal["ldam"] = "ldam"
    max_margin: Annotated[float, Field(gt=0, le=10)] = 0.5
    scale: Annotated[float, Field(gt=0, le=1000)] = 30.0

    @property
    def implied(self) -> Implied:
        corrects = self.class_weights is not None
        return Implied(prior_removed=None, corrects_prior=corrects, cosine_scale=self.scale)

    def per_sample(self, counts: np.ndarray, device: "torch.device | None") -> LossFunction:
        from torch.nn import functional

        margins = np.maximum(counts, 1) ** -0.25
        asked = _on(self.scale * self.max_margin * margins / margins.max(), device)
        plain = _cross_entropy()

        def loss(logits: "Tensor", targets: "Tensor") -> "Tensor":
            less = functional.one_hot(targets, len(asked)) * asked[targets, None]
            return plain(logits - less, targets)

        return loss


LOSSES = Registry[Loss](
    {
        "cross_entropy": CrossEntropy,
        "logit_adjusted": LogitAdjusted,
        "focal": Focal,
        "ldam": LDAM,
    },
    base=Loss,
    group="raresight.losses",
    noun="loss",
)
LossParams = Annotated[Loss, ByName(LOSSES, default="logit_adjusted")]


def _on(values: np.ndarray, device: "torch.device | None") -> "Tensor":
    import torch

    return torch.from_numpy(np.asarray(values, np.float32)).to(device)


def _cross_entropy(label_smoothing: float = 0.0) -> LossFunction:
    """torch's, of each sample."""
    from torch.nn import functional

    def loss(logits: "Tensor", targets: "Tensor") -> "Tensor":
        return functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=label_smoothing
        )

    return loss
