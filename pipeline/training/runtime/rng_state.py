"""torch's own generators, which dropout draws from: a stream an epoch, left and entered again."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from raresight.pipeline.core import seeds


class EpochRandomness:
    """Seeds the global generators for an epoch and puts them back after it.

    ``kept`` holds their states where an epoch was left in the middle, else None.
    """

    def __init__(self, seed: int, device: torch.device, rank: int):
        self.seed, self.device = seed, device
        self.stream = f"dropout {rank}" if rank else "dropout"
        self.kept: list[Tensor] | None = None

    @contextmanager
    def of(self, epoch: int) -> Iterator[None]:
        """The block draws what belongs to ``epoch``, from where it was left."""
        with torch.random.fork_rng(devices=self._cuda):
            if self.kept is None:
                torch.manual_seed(seeds.integer(self.seed, self.stream, epoch))
            else:
                torch.random.set_rng_state(self.kept[0])
                for state in self.kept[1:]:
                    self._set_state(state)
            self.kept = None
            yield

    def keep(self) -> None:
        """Note, inside the block, where it is left."""
        gpu = [torch.cuda.get_rng_state(device) for device in self._cuda]
        if self.device.type == "mps":
            gpu = [torch.mps.get_rng_state()]
        self.kept = [torch.random.get_rng_state(), *gpu]

    def _set_state(self, state: Tensor) -> None:
        if self.device.type == "mps":
            torch.mps.set_rng_state(state)
        else:
            torch.cuda.set_rng_state(state, self.device)

    @property
    def _cuda(self) -> list[torch.device]:
        return [self.device] if self.device.type == "cuda" else []
