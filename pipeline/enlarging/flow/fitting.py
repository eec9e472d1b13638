"""Fitting a flow: a net learns which way leads from noise to an image; it stops and resumes.

Rectified flow (Liu et al. 2023; Lipman et al. 2023) with times from a logit-normal distribution
(Esser et al. 2024): on the straight way from an image x to noise e, x_t = (1 - t) x + t e, the net
predicts e - x from x_t, t and the class.
"""

import math
import time
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from raresight.pipeline.enlarging.flow.images import Batches, Learned
from raresight.pipeline.enlarging.flow.network import SIZES, unet
from raresight.pipeline.enlarging.methods import Flow
from raresight.pipeline.models import device as devices
from raresight.pipeline.runtime.errors import DivergedError, StoppedError
from raresight.pipeline.training.optim.ema import ema_of
from raresight.pipeline.training.optim.learning_rate import learning_rate
from raresight.pipeline.training.optim.optimizers import AdamW
from raresight.pipeline.training.optim.schedules import Cosine
from raresight.pipeline.training.optim.warmup import WarmupParams
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.params.updates import AverageParams
from raresight.pipeline.training.runtime.rng_state import EpochRandomness
from raresight.pipeline.training.state import KeepState, State, StopRequested

TIMES = 1000  # what diffusers counts a time of 1 as
_LOOK_EVERY, _RECENT = 16, 100  # steps; reading a loss waits for the device
_KEPT_EVERY = 60.0  # seconds
_WARMUP, _DECAY, _CLIP, _EXPLODED, _ANY = 50, 0.01, 1.0, 1000.0, 0.1


class FlowTrainer:
    """Fits the net; ``step`` are done, and ``recent`` are the losses of the latest of them."""

    def __init__(
        self, images: Learned, params: Flow, train: TrainParams, *, seed: int, device: torch.device
    ):
        size = SIZES[params.size]
        self.params, self.device, self.classes = params, device, len(images.data.classes)
        self.packing = images.packing(len(size.channels))
        self.net = unet(size, channels=self.packing.shape[0], classes=self.classes, seed=seed).to(
            device
        )
        ema = ema_of(self.net, AverageParams())
        assert ema is not None
        self.ema = ema
        self.batches = Batches(images, train.batch_augment, size=params.batch_size, seed=seed)
        groups = [{"params": [*self.net.parameters()], "weight_decay": _DECAY}]
        self.optimizer = AdamW(learning_rate=params.learning_rate).build(groups)
        self.bfloat16 = devices.use_bfloat16(train.precision, device)
        self.randomness = EpochRandomness(seed, device, 0)
        self.step, self.recent = 0, list[float]()
        self._unread: list[Tensor] = []

    def fit(
        self,
        on_step: Callable[[], None] = lambda: None,
        *,
        keep: KeepState = lambda state: None,
        stop_requested: StopRequested = lambda: False,
    ) -> nn.Module:
        """Take the steps that are left; return the moving average of the net.

        ``keep(state)`` is called every minute and before a stop, with what :meth:`load_state`
        resumes from. Raises DivergedError when the loss is no number or has exploded, StoppedError
        after ``stop_requested()`` was true.
        """
        kept = time.monotonic()
        while self.step < self.params.steps:
            self._unread.append(self._take_step())
            self.step += 1
            on_step()
            last = self.step == self.params.steps
            if last or self.step % _LOOK_EVERY == 0:
                self._read_losses()
            stop = not last and stop_requested()
            if last or stop or time.monotonic() - kept >= _KEPT_EVERY:
                self._read_losses()
                keep(self.state())
                kept = time.monotonic()
            if stop:
                raise StoppedError(
                    f"stop requested: a checkpoint holds {self.step:,} of {self.params.steps:,} "
                    "steps of enlarge.method 'flow'. Start again to resume from there."
                )
        return cast(nn.Module, self.ema.module)

    def state(self) -> State:
        """All that the rest depends on besides params and data: each step has its own stream."""
        return {
            "net": self.net.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "recent": self.recent,
        }

    def load_state(self, state: State) -> None:
        """Resume from where :meth:`state` was taken."""
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.recent = state["step"], state["recent"]

    @property
    def loss(self) -> float:
        """The mean of the latest 100 steps."""
        return sum(self.recent) / len(self.recent)

    def loss_of(self, images: Tensor, classes: Tensor) -> Tensor:
        """The flow-matching loss of uint8 (n, H, W, C) of ``classes`` int64 (n,)."""
        x = self.packing.pack(images)
        noise = torch.randn_like(x)
        t = torch.sigmoid(torch.randn(len(x), device=x.device))
        if self.params.guidance > 1:  # then the net has to know images of any class, too
            hidden = torch.rand(len(x), device=x.device) < _ANY
            classes = torch.where(hidden, self.classes, classes)
        far = t[:, None, None, None]
        with devices.autocast(self.device, bfloat16=self.bfloat16):
            found = self.net((1 - far) * x + far * noise, t * TIMES, class_labels=classes).sample
        return nn.functional.mse_loss(found.float(), noise - x)

    def attempt(self, images: int) -> None:
        """What a step on so many images needs, without the step; for finding what fits."""
        pixels, classes = self.batches(0, self.device)
        index = torch.arange(images, device=self.device) % len(pixels)
        self.loss_of(pixels[index], classes[index]).backward()
        self.optimizer.zero_grad(set_to_none=True)

    def _take_step(self) -> Tensor:
        self.net.train()
        rate = learning_rate(
            self.step,
            base=self.params.learning_rate,
            epochs=1,
            steps_per_epoch=self.params.steps,
            schedule=self._schedule,
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self.randomness.of(self.step):
            loss = self.loss_of(*self.batches(self.step, self.device))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), _CLIP)
        self.optimizer.step()
        self.ema.update_parameters(self.net)
        return loss.detach()

    @property
    def _schedule(self) -> Cosine:
        share = min(0.5, _WARMUP / self.params.steps)
        return Cosine(warmup=WarmupParams(epochs=share))

    def _read_losses(self) -> None:
        if not self._unread:
            return
        values = torch.stack(self._unread).tolist()
        self._unread = []
        for value in values:
            if not math.isfinite(value) or value >= _EXPLODED:
                raise DivergedError(
                    f"enlarge.method 'flow' diverged by step {self.step:,}: the loss is {value:g}. "
                    "Nothing was written. Lower enlarge.method.learning_rate (try "
                    f"{self.params.learning_rate / 10:g})."
                )
        self.recent = [*self.recent, *values][-_RECENT:]
