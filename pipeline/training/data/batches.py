"""What a training step learns from: images fetched, augmented and mixed, with their targets."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from raresight.pipeline.models.device import upload
from raresight.pipeline.training.data.augment import BatchAugment
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.data.mixing import Mixing
from raresight.pipeline.training.optim.losses import LossFunction
from raresight.pipeline.training.params import TrainParams


@dataclass(frozen=True, kw_only=True)
class Partners:
    """What each image is mixed with: the partner's class (n,), and the share of its own (n,)."""

    targets: Tensor
    kept: Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """``images`` (n, H, W, 3) and ``targets`` (n,); where images are mixed, also with whom."""

    images: Tensor
    targets: Tensor
    partners: Partners | None = None

    def loss(self, loss: LossFunction, logits: Tensor) -> Tensor:
        """The loss of each sample (n,); of a mixed one, that of both classes by their shares."""
        own = loss(logits, self.targets)
        if self.partners is None:
            return own
        kept = self.partners.kept
        return kept * own + (1 - kept) * loss(logits, self.partners.targets)


class Batches:
    """Batches of a feed's samples; what happens to a sample is a pure function of its index, the
    epoch and the epoch's order.
    """

    def __init__(self, feed: Feed, params: TrainParams):
        self._feed = feed
        self._augment = BatchAugment(params.batch_augment, seed=params.seed)
        self._mixing = None if params.mixing is None else Mixing(params.mixing, seed=params.seed)
        self.start(np.arange(len(feed)), epoch=0)

    def start(self, order: np.ndarray, epoch: int) -> None:
        """Begin an epoch (from 0); partners for mixing are drawn from its ``order``."""
        self._order, self._epoch = order, epoch

    def take(self, images: Tensor, index: np.ndarray) -> Batch:
        """A batch of ``images`` (n, H, W, 3) as the feed has them, the samples ``index`` (n,)."""
        images, targets = self._augment(images, index, self._epoch), self._feed.labels(index)
        if self._mixing is None:
            return Batch(images=images, targets=targets)
        partners = self._mixing.partners(index, self._order, self._epoch)
        others = self._augment(self._feed.images(partners), partners, self._epoch)
        mixed, kept = self._mixing(images, others, index, self._epoch)
        return Batch(
            images=mixed,
            targets=targets,
            partners=Partners(
                targets=self._feed.labels(partners), kept=upload(kept, images.device)
            ),
        )
