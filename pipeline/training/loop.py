"""The training loop: every epoch in, the best one out; it can be left at any step and gone on."""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from raresight.pipeline.models import device as devices
from raresight.pipeline.models.classifier import Classifier
from raresight.pipeline.runtime.errors import StoppedError
from raresight.pipeline.training.data.batches import Batches
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.data.samplers import epoch_order, shown
from raresight.pipeline.training.diagnosis.divergence import chance_loss, check_loss, explosion
from raresight.pipeline.training.diagnosis.history import Epoch, Result
from raresight.pipeline.training.optim.early_stopping import best_epoch, epochs_without_gain
from raresight.pipeline.training.optim.ema import average_of
from raresight.pipeline.training.optim.losses import Loss, make_loss, score_offset
from raresight.pipeline.training.optim.optimizers import Update
from raresight.pipeline.training.optim.schedules import learning_rate, momentum
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime.distributed import Team
from raresight.pipeline.training.runtime.rng_state import EpochRandomness
from raresight.pipeline.training.validation import Validation

_STEPS_BETWEEN_LOOKS = 16  # reading a loss waits for the device, so losses are read in groups


@dataclass(kw_only=True)
class Progress:
    """How far a training is; an epoch under way counts its steps and sums over its images."""

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    gradient: float = 0.0
    seconds: float = 0.0
    images: int = 0


class Trainer:
    """Fits ``model`` to the training feed and judges every epoch on the validation feed.

    Whatever has a state that later steps depend on stands in ``stateful``, by name, with
    ``state_dict`` and ``load_state_dict``.
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
        team: Team = Team(),  # noqa: B008 - frozen
    ):
        self.params, self.train_feed, self.device, self.team = params, train, device, team
        self.model = model.to(device)
        self.forward = team.wrap(self.model, device)
        if params.compile:
            self.forward = devices.compiled(self.forward, device)
        self.targets = train.targets.cpu().numpy()
        self.counts = np.bincount(self.targets, minlength=classes)
        self.update = Update(self.model, params)
        self.average = average_of(self.model, params.ema)
        self.batches = Batches(train, params)
        self.bfloat16 = devices.use_bfloat16(params.precision, device)
        self.steps_per_epoch = math.ceil(self.shown(0).sum() / params.batch_size)
        self.validation = Validation(val, positive, team, self._autocast)
        self.progress, self.result = Progress(), Result()
        self.randomness = EpochRandomness(params.seed, device, team.rank)
        self.stateful = {"model": self.model, "optimizer": self.update.optimizer}
        if self.average is not None:
            self.stateful["average"] = self.average
        self._before: list[Tensor] = []
        self._unread: list[tuple[Tensor, Tensor, int]] = []

    def fit(
        self,
        on_batch: Callable[[int, int], None] = lambda seen, epoch: None,
        *,
        keep: Callable[[dict[str, Any]], None] = lambda state: None,
        told_to_stop: Callable[[], bool] = lambda: False,
    ) -> Result:
        """Run the epochs that are left; ``on_batch(images, epoch)`` is called after each step.

        ``keep(state)`` is called after each epoch, and before a stop in the middle of one, with
        what :meth:`load_state` goes on from. Raises DivergedError when the loss is no longer a
        number, or has exploded; StoppedError after ``told_to_stop()`` was true.
        """
        while not self.finished:
            self._train_epoch(on_batch, keep, told_to_stop)
            self._end_epoch()
            keep(self.state())
            if not self.finished:
                self._stop_if(told_to_stop())
        return self.result

    @property
    def finished(self) -> bool:
        stopping = self.params.early_stopping
        tired = stopping is not None and (
            epochs_without_gain(self.result.quality, stopping.min_delta) >= stopping.patience
        )
        return tired or self.progress.epoch >= self.params.epochs

    def shown(self, epoch: int) -> np.ndarray:
        """The images of each class that an epoch (from 0) shows, int64 (classes,)."""
        return shown(self.counts, self.params.sampler, epoch=epoch, epochs=self.params.epochs)

    @property
    def chance(self) -> float:
        """The loss of the best answer that is the same for every image of the first epoch."""
        return chance_loss(self.loss_in(0), self.shown(0), self.device)

    def loss_in(self, epoch: int) -> Loss:
        """The loss that an epoch (from 0) is trained with."""
        shows = self.shown(epoch)
        return make_loss(self.params.loss, shows, epoch=epoch, device=self.device)

    def state(self) -> dict[str, Any]:
        """All that the rest of the training depends on besides params and data."""
        best = self.result.best
        return {
            "stateful": {name: part.state_dict() for name, part in self.stateful.items()},
            "progress": asdict(self.progress),
            "curves": [asdict(epoch) for epoch in self.result.epochs],
            "best": best and best.epoch,
            "weights": self.result.weights,
            "random": self.randomness.kept,
            "before": self._before if self.progress.step else [],
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state` was taken."""
        for name, part in self.stateful.items():
            part.load_state_dict(state["stateful"][name])
        for weight, slots in self.update.optimizer.state.items():
            slots.update({k: _like(weight, v) for k, v in slots.items() if k != "step"})
        self.progress = Progress(**state["progress"])
        epochs = [Epoch(**row) for row in state["curves"]]
        best = epochs[state["best"] - 1] if state["best"] else None
        weights = {name: weight.to(self.device) for name, weight in state["weights"].items()}
        self.result = Result(epochs=epochs, best=best, weights=weights)
        self.randomness.kept = state["random"]
        self._before = list(map(_like, self.model.parameters(), state["before"]))

    def _train_epoch(self, on_batch, keep, told_to_stop) -> None:
        at, size = self.progress, self.params.batch_size
        shows = self.shown(at.epoch)
        order = epoch_order(self.targets, shows, seed=self.params.seed, epoch=at.epoch)
        self.batches.start(order, at.epoch)
        self.loss = self.loss_in(at.epoch)
        batches = [order[k * size : (k + 1) * size] for k in range(at.step, self.steps_per_epoch)]
        shares = [self.team.share(batch) for batch in batches]
        if at.step == 0:
            self._before = [weight.detach().clone() for weight in self.model.parameters()]
        with self.randomness.of(at.epoch):
            self.model.train()
            started = time.perf_counter()
            for batch, index, images in zip(
                batches, shares, self.train_feed.batches(shares), strict=True
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
                if (look or self.team.size == 1) and not last:
                    self._stop_if(told_to_stop(), keep)

    def _step(self, images: Tensor, index: np.ndarray, batch: int) -> None:
        at = self.progress
        self._set_rate(at.epoch * self.steps_per_epoch + at.step)
        learned = self.batches.take(images, index)
        with self._autocast():
            logits = self.forward(learned.images)
        loss = learned.loss(self.loss, logits).sum() / batch
        self.update.optimizer.zero_grad(set_to_none=True)
        (loss * self.team.size).backward()  # processes' gradients are averaged, not summed
        norm = self.update.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
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
        values = self.team.sum(torch.stack(losses).double()).tolist()
        for loss, norm, size in zip(values, torch.stack(norms).tolist(), sizes, strict=True):
            self._check(loss, explosion(len(self.counts)))
            self.progress.loss += loss * size
            self.progress.gradient += norm * size

    def _check(self, loss: float, limit: float = math.inf) -> None:
        epoch = self.progress.epoch
        check_loss(loss, self.params, epoch=epoch, rate=self.update.rate, limit=limit)

    def _end_epoch(self) -> None:
        at, model = self.progress, self.judged
        shows = self.shown(at.epoch)
        model.score_offset.copy_(torch.from_numpy(score_offset(self.params.loss, shows)))
        loss, scores = self.validation(model, self.loss, shows)
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
            weight_change=self._weight_change(),
            images_per_second=round(at.images / at.seconds, 1),
        )
        self._remember(epoch)
        self.progress = Progress(epoch=at.epoch + 1)

    def _remember(self, epoch: Epoch) -> None:
        self.result.epochs.append(epoch)
        if self.params.checkpoint == "last" or best_epoch(self.result.quality) == epoch.epoch - 1:
            self.result.best = epoch
            self.result.weights = {k: v.clone() for k, v in self.judged.state_dict().items()}

    @property
    def judged(self) -> Classifier:
        """The model that validation judges and that is kept: the average where there is one."""
        return self.model if self.average is None else self.average.module

    def _stop_if(self, told: bool, keep: Callable[[dict[str, Any]], None] | None = None) -> None:
        if not self.team.any(told, self.device):
            return
        if keep is not None:  # in the middle of an epoch
            self._read_losses()
            self.randomness.keep()
            keep(self.state())
        raise StoppedError(
            f"told to stop: {self.progress.epoch} epochs and {self.progress.step} steps of the "
            "next are kept. Start again to go on from there."
        )

    def _weight_change(self) -> float:
        now = [weight.detach() for weight in self.model.parameters()]
        moved = torch.nn.utils.get_total_norm(torch._foreach_sub(now, self._before))
        return float(moved / torch.nn.utils.get_total_norm(self._before))

    def _autocast(self) -> AbstractContextManager:
        return devices.autocast(self.device, bfloat16=self.bfloat16)

    def _set_rate(self, step: int) -> None:
        schedule = self.params.schedule
        place = {"epochs": self.params.epochs, "steps_per_epoch": self.steps_per_epoch}
        self.update.rate = learning_rate(
            step,
            base=self.params.optimizer.learning_rate,
            schedule=schedule,
            history=self.result.monitored(getattr(schedule, "monitor", None)),
            **place,
        )
        if (cycled := momentum(step, schedule=schedule, **place)) is not None:
            self.update.set_momentum(cycled)


def _like(weight: Tensor, value: Any) -> Any:
    """``value`` laid out in memory as ``weight`` is: the order of a sum decides its last bits."""
    if not isinstance(value, Tensor) or value.shape != weight.shape:
        return value
    return torch.empty_like(weight, requires_grad=False).copy_(value)
