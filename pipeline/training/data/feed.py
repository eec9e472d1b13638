"""Images on their way into the model: resident where they fit, else read one batch ahead."""

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import psutil
import torch
from torch import Tensor

from raresight.pipeline.models.device import upload
from raresight.pipeline.training.data.order import Sources

MAPPED_AT_ONCE = 256 << 20  # bytes
_TAKEN_AT_ONCE = 4096  # images


class PixelSource(Protocol):
    """Images, uint8 (N, H, W, 3), that are taken by row."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def take(self, rows: np.ndarray) -> np.ndarray: ...

    def release(self) -> None: ...


class Feed:
    """Images and targets that batches are taken from, by index.

    When all of ``pixels`` fits into half the free memory of the device it is kept there; otherwise
    each batch is read from it, and what a memory map holds of it stays bounded. ``sources`` says
    how much of an epoch is of which, where that is not by their images.
    """

    def __init__(
        self,
        pixels: PixelSource,
        rows: np.ndarray,
        targets: np.ndarray,
        device: torch.device,
        *,
        sources: Sources | None = None,
    ):
        self.device = device
        self.sources = sources
        self.rows = rows
        self.targets = torch.from_numpy(np.asarray(targets, np.int64)).to(device)
        self._pixels = pixels
        self._mapped = 0  # bytes read from the map since its pages were last given back
        fits = len(rows) * int(np.prod(pixels.shape[1:])) <= _free_memory(device) // 2
        self._resident = _all_of(pixels, rows, device) if fits else None

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, count: int) -> "Feed":
        """The first ``count`` of its images, without a second copy of them."""
        part = copy.copy(self)
        part.rows, part.targets = self.rows[:count], self.targets[:count]
        return part

    def images(self, index: np.ndarray) -> Tensor:
        """uint8 (n, H, W, 3) on the device."""
        if self._resident is not None:
            # On a CPU 20 times as fast as indexing, which does not copy a row in one go.
            return self._resident.index_select(0, upload(index, self.device))
        batch = self._pixels.take(self.rows[index])
        self._mapped += batch.nbytes
        if self._mapped > MAPPED_AT_ONCE:
            self._pixels.release()
            self._mapped = 0
        return upload(batch, self.device)

    def batches(self, indices: Sequence[np.ndarray]) -> Iterator[Tensor]:
        """:meth:`images` of each index; what is not resident is read one batch ahead."""
        if self._resident is not None:
            yield from map(self.images, indices)
            return
        with ThreadPoolExecutor(1) as reader:
            coming = [reader.submit(self.images, index) for index in indices[:1]]
            for index in indices[1:]:
                coming.append(reader.submit(self.images, index))
                yield coming.pop(0).result()
            for batch in coming:
                yield batch.result()

    def labels(self, index: np.ndarray) -> Tensor:
        """int64 (n,) on the device."""
        return self.targets.index_select(0, upload(index, self.device))


def _all_of(pixels: PixelSource, rows: np.ndarray, device: torch.device) -> Tensor:
    """The images of ``rows`` on the device; main memory never holds those of a GPU all at once."""
    if device.type == "cpu":
        return torch.from_numpy(pixels.take(rows))
    images = torch.empty((len(rows), *pixels.shape[1:]), dtype=torch.uint8, device=device)
    for start in range(0, len(rows), _TAKEN_AT_ONCE):
        part = rows[start : start + _TAKEN_AT_ONCE]
        images[start : start + len(part)].copy_(torch.from_numpy(pixels.take(part)))
    return images


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":  # it shares main memory, and takes a part of it
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return int(psutil.virtual_memory().available)
