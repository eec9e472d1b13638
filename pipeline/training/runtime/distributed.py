"""The processes that train one model together: one alone, or as many as torchrun started."""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from raresight.pipeline.runtime.errors import DeviceError

_PATIENCE = 60.0  # seconds for a launcher on a busy network to answer


@dataclass(frozen=True, kw_only=True)
class ProcessGroup:
    """This process's place among ``size`` processes that share every batch."""

    rank: int = 0
    size: int = 1

    @property
    def is_main_process(self) -> bool:
        """Whether this process writes the files and talks to the person."""
        return self.rank == 0

    def shard(self, index: np.ndarray) -> np.ndarray:
        """This process's part of a batch: every ``size``-th sample."""
        return index[self.rank :: self.size]

    def join(self, shards: Sequence[np.ndarray]) -> np.ndarray:
        """What :meth:`shard` took apart, along the first axis and in the order it had."""
        out = np.empty((sum(map(len, shards)), *shards[0].shape[1:]), shards[0].dtype)
        for rank, part in enumerate(shards):
            out[rank :: self.size] = part
        return out

    def gather(self, part: np.ndarray) -> np.ndarray:
        """Every process's shard, joined, in all of them."""
        if self.size == 1:
            return part
        parts = [part] * self.size
        distributed.all_gather_object(parts, part)
        return self.join(parts)

    def sum(self, values: Tensor) -> Tensor:
        """The sum over the processes."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether one of the processes says yes; all of them get the same answer."""
        return flag if self.size == 1 else bool(self.sum(torch.tensor(int(flag), device=device)))

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model whose gradients are averaged over the processes."""
        if self.size == 1:
            return model
        return DistributedDataParallel(model, [device] if device.type == "cuda" else None)


@contextmanager
def process_group(device: torch.device) -> Iterator[ProcessGroup]:
    """The group that torchrun's environment describes: NCCL between GPUs, gloo between CPUs.

    Raises DeviceError when the processes do not find each other.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ProcessGroup()
        return
    _require_launcher()
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        raise DeviceError(
            f"WORLD_SIZE is {size}, but the processes did not find each other: {error}. "
            "Start them with torchrun, or unset WORLD_SIZE."
        ) from None
    try:
        yield ProcessGroup(rank=distributed.get_rank(), size=size)
    finally:
        distributed.destroy_process_group()


def _require_launcher() -> None:
    """DeviceError where torchrun has ended, in whose process the others are found.

    It is there before the processes that it starts: one that was killed while they loaded would be
    waited for, half an hour by default.
    """
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return
    place = os.environ.get("MASTER_ADDR", ""), int(os.environ.get("MASTER_PORT", "0"))
    try:
        socket.create_connection(place, timeout=_PATIENCE).close()
    except OSError as error:
        raise DeviceError(
            f"torchrun, which started this process, has ended: nobody answers at {place[0]}, port "
            f"{place[1]} ({error}). Start the training again."
        ) from None
