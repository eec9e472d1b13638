"""``train.loss``: what is minimised, and how much each class counts in it."""

from typing import Annotated, Literal

from pydantic import Field

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.core.ranges import FractionBelowOne


class _Weights(Section):
    """Before ``from_epoch`` (0 is the first) all classes weigh alike: deferred re-weighting."""

    from_epoch: Annotated[int, Field(ge=0)] = 0


class InverseWeights(_Weights):
    """1 / n for a class of n images."""

    name: Literal["inverse"] = "inverse"


class EffectiveWeights(_Weights):
    """(1 - beta) / (1 - beta ** n) for a class of n images: its effective number."""

    name: Literal["effective_number"] = "effective_number"
    beta: Annotated[float, Field(gt=0, lt=1)] = 0.999


ClassWeightParams = Annotated[
    InverseWeights | EffectiveWeights,
    ByName({"inverse": InverseWeights, "effective_number": EffectiveWeights}),
]


class CrossEntropy(Section):
    """Leaves the prior in the scores; ``post_hoc_tau`` takes it out of them after training."""

    name: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: FractionBelowOne = 0.0
    class_weights: ClassWeightParams | None = None
    post_hoc_tau: Annotated[float, Field(gt=0, le=10)] | None = None


class LogitAdjusted(Section):
    """Adds tau * log(prior) to the logits in training; with tau = 1 the balanced softmax."""

    name: Literal["logit_adjusted"] = "logit_adjusted"
    tau: Annotated[float, Field(gt=0, le=10)] = 1.0
    label_smoothing: FractionBelowOne = 0.0


class Focal(Section):
    """Cross-entropy times (1 - p) ** gamma, p being the true class's score."""

    name: Literal["focal"] = "focal"
    gamma: Annotated[float, Field(ge=0, le=10)] = 2.0
    class_weights: ClassWeightParams | None = None


class LDAM(Section):
    """A margin per class, n ** -1/4 scaled so that the rarest has ``max_margin``.

    The margins are between cosines: the last layer compares directions, its logits are ``scale``
    times the cosine.
    """

    name: Literal["ldam"] = "ldam"
    max_margin: Annotated[float, Field(gt=0, le=10)] = 0.5
    scale: Annotated[float, Field(gt=0, le=1000)] = 30.0
    class_weights: ClassWeightParams | None = None


_KINDS = {
    "cross_entropy": CrossEntropy,
    "logit_adjusted": LogitAdjusted,
    "focal": Focal,
    "ldam": LDAM,
}
LossParams = Annotated[
    CrossEntropy | LogitAdjusted | Focal | LDAM, ByName(_KINDS, default="logit_adjusted")
]


def cosine_scale(loss: Section) -> float | None:
    """What the cosines of the last layer are to be multiplied by; None: it is to be plain."""
    return loss.scale if isinstance(loss, LDAM) else None


def corrects_the_prior(loss: Section) -> bool:
    """Whether the loss makes up for classes that are not equally frequent."""
    if isinstance(loss, LogitAdjusted) or getattr(loss, "post_hoc_tau", None) is not None:
        return True
    return getattr(loss, "class_weights", None) is not None
