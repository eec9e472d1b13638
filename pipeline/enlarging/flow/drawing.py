"""Drawing images with a flow: from noise, in small steps along the way that the net predicts."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from raresight.pipeline.core import seeds
from raresight.pipeline.enlarging.flow.fitting import TIMES, FlowTrainer
from raresight.pipeline.enlarging.flow.library import diffusers
from raresight.pipeline.models import device as devices
from raresight.pipeline.runtime.errors import DivergedError

_AT_ONCE = 64  # images; another number might change the last bits of a sum


def draw(
    trainer: FlowTrainer, net: nn.Module, target: int, names: Sequence[str], *, seed: int
) -> Iterator[np.ndarray]:
    """An image of the class ``target`` for each of ``names``, whose noise it is drawn from: uint8
    (n, H, W, C), some at a time.

    DivergedError where what the net says is no number.
    """
    net.eval()
    for start in range(0, len(names), _AT_ONCE):
        noise = [_noise(trainer, name, seed) for name in names[start : start + _AT_ONCE]]
        drawn = _way(trainer, net, target, torch.stack(noise).to(trainer.device))
        if not bool(torch.isfinite(drawn).all()):
            raise DivergedError(
                "enlarge.method 'flow' drew values that are no numbers: its training has diverged. "
                "Nothing was written. Lower enlarge.method.learning_rate."
            )
        yield trainer.packing.unpack(drawn).cpu().numpy()


def _noise(trainer: FlowTrainer, name: str, seed: int) -> Tensor:
    """Drawn on the CPU, so that it is the same for every device."""
    stream = torch.Generator().manual_seed(seeds.integer(seed, "flow noise", name))
    return torch.randn(trainer.packing.shape, generator=stream)


@torch.inference_mode()
def _way(trainer: FlowTrainer, net: nn.Module, target: int, z: Tensor) -> Tensor:
    """From noise (n, C, H, W) to images, by diffusers' Euler steps."""
    scheduler = diffusers().FlowMatchEulerDiscreteScheduler(num_train_timesteps=TIMES)
    scheduler.set_timesteps(trainer.params.sampling_steps, device=trainer.device)
    guidance = trainer.params.guidance

    def velocity(z: Tensor, time: Tensor, of: int) -> Tensor:
        classes = torch.full((len(z),), of, device=z.device)
        with devices.autocast(trainer.device, bfloat16=trainer.bfloat16):
            found: Tensor = net(z, time.expand(len(z)), class_labels=classes).sample
        return found.float()

    for time in scheduler.timesteps:
        v = velocity(z, time, target)
        if guidance > 1:  # away from what an image of any class would do (Ho & Salimans 2022)
            anyone = velocity(z, time, trainer.classes)
            v = anyone + guidance * (v - anyone)
        z = scheduler.step(v, time, z).prev_sample
    return z
