"""The training loop: every epoch in, the best one out; it stops and resumes at any step."""

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from raresight.pipeline.models import device as devices
from raresight.pipeline.models.classifier import Classifier
from raresight.pipeline.models.finetuning import rate_scales
from raresight.pipeline.runtime.errors import StoppedError
from raresight.pipeline.training.data.batches import Batches
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.data.order import batches_of, epoch_order, steps_of
from raresight.pipeline.training.diagnosis.divergence import chance_loss, check_loss, explosion
from raresight.pipeline.training.diagnosis.history import Epoch, History
from raresight.pipeline.training.optim.early_stopping import best_epoch, epochs_without_gain
from raresight.pipeline.training.optim.ema import ema_of
from raresight.pipeline.training.optim.learning_rate import learning_rate, momentum
from raresight.pipeline.training.optim.losses import LossFunction
from raresight.pipeline.training.optim.update import Update
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime.distributed import ProcessGroup
from raresight.pipeline.training.runtime.rng_state import EpochRandomness
from raresight.pipeline.training.state import (
    KeepState,
    OnBatch,
    Progress,
    State,
    Stateful,
    StopRequested,
)
from raresight.pipeline.training.validation import Validation
from raresight.pipeline.training.weights import copies, laid_out_as, relative_change
from raresight.pipeline.wording.training import stopped

_STEPS_BETWEEN_LOOKS = 16  # reading a loss waits for the device, so losses are read in groups


class Trainer:
    """Fits ``model`` to the training feed and judges every epoch on the validation feed.

    Whatever has a state that later steps depend on stands in ``stateful``, by name.
    """

    def __init__(
        self,
        model: Classifier,
        params: TrainParams,
        train: Feed,
        val: Feed,
        *,
        classes: int,
        positive: int | None,
        device: torch.device,
        group: ProcessGroup = ProcessGroup(),  # noqa: B008 - frozen
    ):
        self.params, self.train_feed, self.device, self.group = params, train, device, group
        self.last_epoch, self.epochs_before = params.epochs, 0  # those of phases before it
        self.model = model.to(device)
        self.forward = group.wrap(self.model, device)
        if params.compile:
            self.forward = devices.compiled(self.forward, device)
        self.targets = train.targets.cpu().numpy()
        self.available = np.bincount(self.targets, minlength=classes)
        decay = params.model.stage_rate
        scales = None if decay == 1 else rate_scales(self.model.network, classes, decay)
        self.update = Update(self.model, params, scales)
        self.ema = ema_of(self.model, params.ema)
        self.batches = Batches(train, params)
        self.bfloat16 = devices.use_bfloat16(params.precision, device)
        self.steps_per_epoch = steps_of(int(self.class_counts(0).sum()), params.batch_size)
        self.validation = Validation(val, positive, group, self._autocast)
        self.progress, self.history = Progress(), History()
        self.randomness = EpochRandomness(params.seed, device, group.rank)
        self.stateful: dict[str, Stateful] = {
            "model": self.model,
            "optimizer": self.update.optimizer,
        }
        if self.ema is not None:
            self.stateful["ema"] = self.ema
        self._chance_loss: float | None = None
        self._before: list[Tensor] = []
        self._unread: list[tuple[Tensor, Tensor, int]] = []

    def fit(
        self,
        on_batch: OnBatch = lambda images, epoch: None,
        *,
        keep: KeepState = lambda state: None,
        stop_requested: StopRequested = lambda: False,
    ) -> History:
        """Run the epochs that are left; ``on_batch(images, epoch)`` is called after each step.

        ``keep(state)`` is called after each epoch, and before a stop in the middle of one, with
        what :meth:`load_state` resumes from. Raises DivergedError when the loss is no longer a
        number, or has exploded; StoppedError after ``stop_requested()`` was true.
        """
        while not self.finished:
            self._train_epoch(on_batch, keep, stop_requested)
            self._end_epoch()
            keep(self.state())
            if not self.finished:
                self._stop_if(stop_requested())
        return self.history

    @property
    def finished(self) -> bool:
        stopping = self.params.early_stopping
        out_of_patience = stopping is not None and (
            epochs_without_gain(self.history.quality, stopping.min_delta) >= stopping.patience
        )
        return out_of_patience or self.progress.epoch >= self.last_epoch

    def class_counts(self, epoch: int) -> np.ndarray:
        """The images of each class that an epoch (from 0) shows, int64 (classes,)."""
        params = self.params
        return params.sampler.class_counts(self.available, epoch=epoch, epochs=params.epochs)

    def chance_loss(self) -> float:
        """The loss of the best prediction that is the same for every image of the first epoch.

        It is searched for once.
        """
        if self._chance_loss is None:
            self._chance_loss = chance_loss(self.loss_in(0), self.class_counts(0), self.device)
        return self._chance_loss

    def loss_in(self, epoch: int) -> LossFunction:
        """The loss that an epoch (from 0) is trained with."""
        counts = self.class_counts(epoch)
        return self.params.loss.function(counts, epoch=epoch, device=self.device)

    def state(self) -> State:
        """All that the rest of the training depends on besides params and data."""
        best = self.history.best
        return {
            "stateful": {name: part.state_dict() for name, part in self.stateful.items()},
            "progress": asdict(self.progress),
            "curves": [asdict(epoch) for epoch in self.history.epochs],
            "best": best and best.epoch,
            "weights": self.history.weights,
            "random": self.randomness.kept,
            "before": self._before if self.progress.step else [],
        }

    def load_state(self, state: State) -> None:
        """Resume from where :meth:`state` was taken."""
        for name, part in self.stateful.items():
            part.load_state_dict(state["stateful"][name])
        for weight, slots in self.update.optimizer.state.items():
            slots.update({k: laid_out_as(weight, v) for k, v in slots.items() if k != "step"})
        self.progress = Progress(**state["progress"])
        epochs = [Epoch(**row) for row in state["curves"]]
        best = epochs[state["best"] - 1] if state["best"] else None
        weights = {name: weight.to(self.device) for name, weight in state["weights"].items()}
        self.history = History(epochs=epochs, best=best, weights=weights)
        self.randomness.kept = state["random"]
        self._before = list(map(laid_out_as, self.model.parameters(), state["before"]))

    def _train_epoch(
        self, on_batch: OnBatch, keep: KeepState, stop_requested: StopRequested
    ) -> None:
        at = self.progress
        batches = self._batches()[at.step :]
        shards = [self.group.shard(batch) for batch in batches]
        self.loss = self.loss_in(at.epoch)
        if at.step == 0:
            self._before = copies(self.model.parameters())
        with self.randomness.of(at.epoch):
            self.model.train()
            started = time.perf_counter()
            for batch, index, images in zip(
                batches, shards, self.train_feed.batches(shards), strict=True
            ):
                self._step(images, index, len(batch))
                at.step += 1
                at.images += len(batch)
                last = at.step == self.steps_per_epoch
                look = last or at.step % _STEPS_BETWEEN_LOOKS == 0
                if look:
                    self._read_losses()
                at.seconds += time.perf_counter() - started
                started = time.perf_counter()
                on_batch(len(batch), at.epoch)
                if (look or self.group.size == 1) and not last:
                    self._stop_if(stop_requested(), keep)

    def _batches(self) -> Sequence[np.ndarray]:
        """The sample indices of each batch of the epoch under way, those that are done, too."""
        epoch, feed = self.progress.epoch, self.train_feed
        order = epoch_order(
            self.targets,
            self.class_counts(epoch),
            seed=self.params.seed,
            epoch=epoch,
            sources=feed.sources,
            windows=feed.windows(self.params.shuffle_window),
        )
        self.batches.start(order, epoch)
        return batches_of(order, self.params.batch_size)

    def _step(self, images: Tensor, index: np.ndarray, batch: int) -> None:
        at = self.progress
        self._set_rate(at.epoch * self.steps_per_epoch + at.step)
        learned = self.batches.take(images, index)
        with self._autocast():
            logits = self.forward(learned.images)
        loss = learned.loss(self.loss, logits).sum() / batch
        self.update.optimizer.zero_grad(set_to_none=True)
        (loss * self.group.size).backward()  # processes' gradients are averaged, not summed
        norm = self.update.step()
        if self.ema is not None:
            self.ema.update_parameters(self.model)
        self._unread.append((loss.detach(), norm, batch))

    def attempt(self, images: int) -> None:
        """What a step on so many images needs, without the step; for finding what fits."""
        index = np.arange(images) % len(self.train_feed)
        with self._autocast():
            logits = self.forward(self.train_feed.images(index))
        functional.cross_entropy(logits.float(), self.train_feed.labels(index)).backward()
        self.update.optimizer.zero_grad(set_to_none=True)

    def _read_losses(self) -> None:
        if not self._unread:
            return
        losses, norms, sizes = zip(*self._unread, strict=True)
        self._unread = []
        values = self.group.sum(devices.as_double(torch.stack(losses))).tolist()
        for loss, norm, size in zip(values, torch.stack(norms).tolist(), sizes, strict=True):
            self._check(loss, explosion(len(self.available)))
            self.progress.loss += loss * size
            self.progress.gradient += norm * size

    def _check(self, loss: float, limit: float = math.inf) -> None:
        epoch = self.epochs_before + self.progress.epoch
        check_loss(loss, self.params, epoch=epoch, rate=self.update.rate, limit=limit)

    def _end_epoch(self) -> None:
        at, model = self.progress, self.eval_model
        counts = self.class_counts(at.epoch)
        model.score_offset.copy_(torch.from_numpy(self.params.loss.score_offset(counts)))
        loss, scores = self.validation(model, self.loss, counts)
        self._check(loss)
        average_precision, f1 = self.validation.ranking(scores)
        epoch = Epoch(
            epoch=at.epoch + 1,
            train_loss=at.loss / at.images,
            val_loss=loss,
            val_average_precision=average_precision,
            val_f1=f1,
            learning_rate=self.update.rate,
            gradient_norm=at.gradient / at.images,
            weight_change=relative_change(self.model.parameters(), self._before),
            images_per_second=round(at.images / at.seconds, 1),
        )
        self._remember(epoch)
        self.progress = Progress(epoch=at.epoch + 1)

    def _remember(self, epoch: Epoch) -> None:
        history = self.history
        history.epochs.append(epoch)
        if self.params.checkpoint == "last" or best_epoch(history.quality) == epoch.epoch - 1:
            history.best = epoch
            history.weights = {k: v.clone() for k, v in self.eval_model.state_dict().items()}

    @property
    def eval_model(self) -> Classifier:
        """The model that is evaluated and kept: the moving average where there is one."""
        return self.model if self.ema is None else cast(Classifier, self.ema.module)

    def _stop_if(self, requested: bool, keep: KeepState | None = None) -> None:
        if not self.group.any(requested, self.device):
            return
        if keep is not None:  # in the middle of an epoch
            self._read_losses()
            self.randomness.keep()
            keep(self.state())
        raise StoppedError(stopped(epochs=self.progress.epoch, steps=self.progress.step))

    def _autocast(self) -> AbstractContextManager[object]:
        return devices.autocast(self.device, bfloat16=self.bfloat16)

    def _set_rate(self, step: int) -> None:
        schedule = self.params.schedule
        place = {"epochs": self.params.epochs, "steps_per_epoch": self.steps_per_epoch}
        base = self.params.optimizer.learning_rate
        past = self.history.monitored(schedule.monitored)
        self.update.rate = learning_rate(step, base=base, schedule=schedule, history=past, **place)
        if (cycled := momentum(step, schedule=schedule, **place)) is not None:
            self.update.set_momentum(cycled)
