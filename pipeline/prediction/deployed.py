"""A model with everything that belongs to it, as one module for other programs."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from raresight.pipeline.evaluation.decisions.costs import mistake_costs
from raresight.pipeline.evaluation.decisions.kept import KeptDecision
from raresight.pipeline.evaluation.params import LowestCost
from raresight.pipeline.models.classifier import Classifier

INPUTS, OUTPUTS = ("images",), ("score", "probability", "answer")
_TIE = 1e-6  # of expected costs in float32


class Deployed(nn.Module):
    """Raw pixels in; scores, calibrated probabilities and answers out.

    Images are uint8 (n, H, W, 3), as the training images were; ``score`` and ``probability`` are
    float32 (n, K), ``answer`` int64 (n,), the place of the class. It does what the classifier does,
    standardization included, and what :class:`KeptDecision` does, in operations that ONNX has.
    """

    log_assumed: Tensor
    log_prior: Tensor
    costs: Tensor

    def __init__(self, classifier: Classifier, decision: KeptDecision):
        super().__init__()
        self.classifier = classifier
        self.temperature = float(decision.calibrator.temperature)
        self.positive = decision.task.positive_index
        self.threshold = decision.threshold
        self.register_buffer("log_assumed", _logarithms(decision.calibrator.assumed))
        self.register_buffer("log_prior", _logarithms(decision.calibrator.prior))
        costs = None
        if self.positive is None and isinstance(decision.rule, LowestCost):
            found = mistake_costs(decision.rule, decision.task.classes)
            costs = torch.tensor(found, dtype=torch.float32)
        self.register_buffer("costs", costs)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits = self.classifier(images).float() + self.classifier.score_offset
        logarithms = logits.log_softmax(1)
        evidence = (logarithms - self.log_assumed) / self.temperature
        probability = (evidence + self.log_prior).softmax(1)
        score = logits.softmax(1)
        return score, probability, self._answer(score, probability)

    def _answer(self, score: Tensor, probability: Tensor) -> Tensor:
        if self.costs is not None:
            expected = probability @ self.costs
            least = expected <= expected.amin(1, keepdim=True) + _TIE
            return torch.where(least, probability, -1.0).argmax(1)
        if self.positive is None or self.threshold is None:
            return score.argmax(1)
        others = score.clone()
        others[:, self.positive] = -math.inf
        above = score[:, self.positive] >= self.threshold
        return torch.where(above, self.positive, others.argmax(1))


def _logarithms(shares: np.ndarray) -> Tensor:
    return torch.tensor(np.log(np.maximum(shares, 1e-300)), dtype=torch.float32)
