"""Judging a model between epochs, on images it does not learn from."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.training.feed import Feed
from pipeline.training.scores import ranking
from pipeline.training.team import Team

_BATCH = 512


class Validation:
    """Calling it with a model gives the loss and the class scores on the validation feed."""

    def __init__(
        self,
        feed: Feed,
        loss: Callable[[Tensor, Tensor], Tensor],
        shares: np.ndarray,
        positive: int | None,
        team: Team,
        autocast: Callable[[], AbstractContextManager],
    ):
        self.feed, self.loss, self.shares, self.positive = feed, loss, shares, positive
        self.team, self.autocast = team, autocast
        self.targets = feed.targets.cpu().numpy()

    @torch.inference_mode()
    def __call__(self, model: nn.Module) -> tuple[float, np.ndarray]:
        """The loss in training's mix of classes, and class probabilities (n, K).

        The team shares the images; every process gets the whole answer.
        """
        model.eval()
        mine = self.team.share(np.arange(len(self.feed)))
        batches = [mine[start : start + _BATCH] for start in range(0, len(mine), _BATCH)]
        losses, probabilities = [], []
        for index, images in zip(batches, self.feed.batches(batches), strict=True):
            with self.autocast():
                logits = model(images)
            losses.append(self.loss(logits, self.feed.labels(index)))
            probabilities.append(logits.float().softmax(1))
        loss = self.team.gather(torch.cat(losses).double().cpu().numpy())
        scores = self.team.gather(torch.cat(probabilities).cpu().numpy())
        return self.as_in_training(loss), scores

    def ranking(self, scores: np.ndarray) -> tuple[float, float]:
        """Average precision and the best F1 of the scores."""
        return ranking(scores, self.targets, self.positive)

    def as_in_training(self, loss: np.ndarray) -> float:
        """Mean loss with the classes in training's shares, so that both curves mean the same."""
        present = np.unique(self.targets)
        means = np.array([loss[self.targets == k].mean() for k in present])
        return float((means * self.shares[present]).sum() / self.shares[present].sum())
