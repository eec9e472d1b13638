"""Judging a model between epochs, on images it does not learn from."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import torch

from raresight.pipeline.models.classifier import Classifier, in_batches, predict
from raresight.pipeline.models.device import as_double
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.optim.losses import LossFunction
from raresight.pipeline.training.runtime.distributed import ProcessGroup
from raresight.pipeline.training.scores import ranking


class Validation:
    """Calling it with a model gives the loss and the class scores on the validation feed."""

    def __init__(
        self,
        feed: Feed,
        positive: int | None,
        group: ProcessGroup,
        autocast: Callable[[], AbstractContextManager[object]],
    ):
        self.feed, self.positive, self.group, self.autocast = feed, positive, group, autocast
        self.targets = feed.targets.cpu().numpy()
        self.scores = np.empty((0, 0))  # those of the last call

    @torch.inference_mode()
    def __call__(
        self, model: Classifier, loss_of: LossFunction, class_counts: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """The loss in training's mix of classes, ``class_counts`` (K,), and class scores (n, K).

        The processes share the images; each of them gets the whole result.
        """
        batches = in_batches(self.group.shard(np.arange(len(self.feed))), self.feed.shape)
        losses, scores = [], []
        predicted = predict(model, self.feed.batches(batches), self.autocast)
        for index, (logits, found) in zip(batches, predicted, strict=True):
            losses.append(loss_of(logits, self.feed.labels(index)))
            scores.append(found)
        loss = self.group.gather(as_double(torch.cat(losses)).cpu().numpy())
        self.scores = self.group.gather(torch.cat(scores).cpu().numpy())
        return self.as_in_training(loss, class_counts), self.scores

    def ranking(self, scores: np.ndarray) -> tuple[float, float]:
        """Average precision and the best F1 of the scores."""
        return ranking(scores, self.targets, self.positive, self.feed.weights)

    def as_in_training(self, loss: np.ndarray, class_counts: np.ndarray) -> float:
        """Mean loss with the classes in training's shares, so that both curves mean the same."""
        present = np.unique(self.targets)
        means = np.array([loss[self.targets == k].mean() for k in present])
        return float((means * class_counts[present]).sum() / class_counts[present].sum())
