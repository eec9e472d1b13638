"""The training loop: every epoch in, the best one out."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

from pipeline.core import seeds
from pipeline.core.errors import DivergedError
from pipeline.training import device as devices
from pipeline.training.feed import BatchAugment, Feed, epoch_order
from pipeline.training.losses import make_loss
from pipeline.training.models import Classifier
from pipeline.training.optimizers import make_optimizer
from pipeline.training.params import TrainParams
from pipeline.training.schedules import learning_rate
from pipeline.training.scores import ranking

_SCORE_BATCH = 512


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One row of the curves. Losses are per sample, on the mix of classes that training shows."""

    epoch: int
    train_loss: float
    val_loss: float
    val_average_precision: float
    val_f1: float
    learning_rate: float
    images_per_second: float


@dataclass(kw_only=True)
class Result:
    """The curves, and the weights of the epoch with the best validation average precision."""

    epochs: list[Epoch] = field(default_factory=list)
    best: Epoch | None = None
    weights: dict[str, Tensor] = field(default_factory=dict)


def class_shares(targets: np.ndarray, classes: int, max_per_class: int | None) -> np.ndarray:
    """The share of each class in an epoch, float64 (classes,)."""
    counts = np.bincount(targets, minlength=classes).astype(float)
    if max_per_class is not None:
        counts = np.minimum(counts, max_per_class)
    return counts / counts.sum()


class Trainer:
    """Fits ``model`` to the training feed and judges every epoch on the validation feed."""

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
    ):
        self.params, self.train_feed, self.val_feed = params, train, val
        self.positive, self.device = positive, device
        self.model = model.to(device)
        self.targets = train.targets.cpu().numpy()
        self.shares = class_shares(self.targets, classes, params.max_per_class)
        self.loss = make_loss(params.loss, torch.tensor(np.log(self.shares)).float().to(device))
        self.optimizer = make_optimizer(self.model, params.optimizer)
        self.augment = BatchAugment(params.batch_augment, seed=params.seed, samples=len(train))
        self.bfloat16 = devices.use_bfloat16(params.precision, device)
        self.steps_per_epoch = math.ceil(len(self._order(0)) / params.batch_size)

    def fit(self, on_batch: Callable[[int, int], None] = lambda seen, epoch: None) -> Result:
        """Run the epochs; ``on_batch(images, epoch)`` is called after each step.

        Raises DivergedError when the loss is no longer a number, or has exploded.
        """
        result, waited = Result(), 0
        stopping = self.params.early_stopping
        for number in range(self.params.epochs):
            epoch = self._epoch(number, on_batch)
            result.epochs.append(epoch)
            gain = epoch.val_average_precision - (
                result.best.val_average_precision if result.best else -1.0
            )
            waited = 0 if gain > (stopping.min_delta if stopping else 0.0) else waited + 1
            if gain > 0:
                result.best = epoch
                result.weights = {k: v.clone() for k, v in self.model.state_dict().items()}
            if stopping and waited >= stopping.patience:
                break
        return result

    def _order(self, epoch: int) -> np.ndarray:
        return epoch_order(
            self.targets,
            seed=self.params.seed,
            epoch=epoch,
            max_per_class=self.params.max_per_class,
        )

    def _epoch(self, number: int, on_batch: Callable[[int, int], None]) -> Epoch:
        order, size = self._order(number), self.params.batch_size
        started = time.perf_counter()
        total, rate = 0.0, 0.0
        with torch.random.fork_rng(devices=self._cuda_indices()):
            torch.manual_seed(seeds.integer(self.params.seed, "dropout", number))
            self.model.train()
            for k in range(self.steps_per_epoch):
                index = order[k * size : (k + 1) * size]
                rate = self._set_rate(number * self.steps_per_epoch + k)
                total += self._step(index, number) * len(index)
                on_batch(len(index), number)
        speed = len(order) / (time.perf_counter() - started)
        val_loss, average_precision, f1 = self._validate()
        return Epoch(
            epoch=number + 1,
            train_loss=total / len(order),
            val_loss=val_loss,
            val_average_precision=average_precision,
            val_f1=f1,
            learning_rate=rate,
            images_per_second=round(speed, 1),
        )

    def _step(self, index: np.ndarray, epoch: int) -> float:
        images = self.augment(self.train_feed.images(index), index, epoch)
        with devices.autocast(self.device, bfloat16=self.bfloat16):
            logits = self.model(images)
        loss = self.loss(logits, self.train_feed.labels(index)).mean()
        self.optimizer.zero_grad(set_to_none=True)
        value = self._checked(loss.item(), epoch)
        loss.backward()
        if self.params.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.params.gradient_clip)
        self.optimizer.step()
        return value

    def _set_rate(self, step: int) -> float:
        rate = learning_rate(
            step,
            base=self.params.optimizer.learning_rate,
            total=self.params.epochs * self.steps_per_epoch,
            steps_per_epoch=self.steps_per_epoch,
            schedule=self.params.schedule,
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _checked(self, loss: float, epoch: int) -> float:
        """A guess that knows nothing loses log K; a thousand times that is an explosion."""
        limit = 1000 * max(1.0, math.log(len(self.shares)))
        if math.isfinite(loss) and loss < limit:
            return loss
        rate = self.optimizer.param_groups[0]["lr"]
        raise DivergedError(
            f"training diverged in epoch {epoch + 1}: the loss is {loss:g} at learning rate "
            f"{rate:g}. Lower train.optimizer.learning_rate (try "
            f"{self.params.optimizer.learning_rate / 10:g}), lengthen "
            "train.schedule.warmup_epochs, or set train.gradient_clip: 1.0."
        )

    @torch.inference_mode()
    def _validate(self) -> tuple[float, float, float]:
        self.model.eval()
        losses, probabilities = [], []
        for start in range(0, len(self.val_feed), _SCORE_BATCH):
            index = np.arange(start, min(start + _SCORE_BATCH, len(self.val_feed)))
            with devices.autocast(self.device, bfloat16=self.bfloat16):
                logits = self.model(self.val_feed.images(index))
            losses.append(self.loss(logits, self.val_feed.labels(index)))
            probabilities.append(logits.float().softmax(1))
        targets = self.val_feed.targets.cpu().numpy()
        loss = torch.cat(losses).double().cpu().numpy()
        scores = torch.cat(probabilities).cpu().numpy()
        return self._as_in_training(loss, targets), *ranking(scores, targets, self.positive)

    def _as_in_training(self, loss: np.ndarray, targets: np.ndarray) -> float:
        """Mean loss with the classes in training's shares, so that both curves mean the same."""
        present = np.unique(targets)
        means = np.array([loss[targets == k].mean() for k in present])
        return float((means * self.shares[present]).sum() / self.shares[present].sum())

    def _cuda_indices(self) -> list[torch.device]:
        return [self.device] if self.device.type == "cuda" else []


def fingerprint(trainer: Trainer) -> dict[str, str | int]:
    """What the last bits of the weights depend on besides params and data."""
    device = trainer.device
    on_gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "precision": "bfloat16" if trainer.bfloat16 else "float32",
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "none",
        "numpy": np.__version__,
        "parameters": sum(weight.numel() for weight in trainer.model.parameters()),
    }


def curve_rows(result: Result) -> list[dict[str, float]]:
    """The curves as rows of a table."""
    return [asdict(epoch) for epoch in result.epochs]
