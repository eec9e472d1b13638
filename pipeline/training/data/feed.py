"""Images on their way into the model: resident where they fit, else read one batch ahead."""

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import psutil
import torch
from torch import Tensor

from raresight.pipeline.dataset.pixels import at_once
from raresight.pipeline.models.device import upload
from raresight.pipeline.training.data.order import Sources
from raresight.pipeline.training.data.windows import Windows, windows_of

_TAKEN_AT_ONCE = 4096  # images
# Bytes. Pages of a file do as well there: the system keeps them for as long as it has room.
_MOST_IN_MAIN_MEMORY = 1 << 30


class PixelSource(Protocol):
    """Images, uint8 (N, H, W, 3), that are taken by row."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def take(self, rows: np.ndarray) -> np.ndarray: ...

    def places(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


class Feed:
    """Images and targets that batches are taken from, by index.

    When all of ``pixels`` fits into half the free memory of the device, and into a gibibyte of main
    memory, it is kept there; otherwise each batch is read from it. ``sources`` says
    how much of an epoch is of which, where that is not by their images; ``weights``, (n,), for how
    many images each of them stands, where that is not one.
    """

    def __init__(
        self,
        pixels: PixelSource,
        rows: np.ndarray,
        targets: np.ndarray,
        device: torch.device,
        *,
        sources: Sources | None = None,
        weights: np.ndarray | None = None,
    ):
        self.device = device
        self.sources = sources
        self.weights = np.ones(len(rows)) if weights is None else weights
        self.rows = rows
        self.targets = torch.from_numpy(np.asarray(targets, np.int64)).to(device)
        self.shape = pixels.shape[1:]  # of an image
        self._pixels = pixels
        fits = len(rows) * int(np.prod(self.shape)) <= _room(device)
        self._resident = _all_of(pixels, rows, device) if fits else None

    def __len__(self) -> int:
        return len(self.rows)

    def windows(self, mebibytes: int | None) -> Windows | None:
        """What an epoch goes through, so many MiB of images at a time; None without a bound."""
        if mebibytes is None:
            return None
        image_bytes = int(np.prod(self.shape))
        return windows_of(*self._pixels.places(self.rows), image_bytes, mebibytes)

    def first(self, count: int) -> "Feed":
        """The first ``count`` of its images, without a second copy of them."""
        part = copy.copy(self)
        part.rows, part.targets = self.rows[:count], self.targets[:count]
        part.weights = self.weights[:count]
        return part

    def images(self, index: np.ndarray) -> Tensor:
        """uint8 (n, H, W, 3) on the device."""
        if self._resident is not None:
            # On a CPU 20 times as fast as indexing, which does not copy a row in one go.
            return self._resident.index_select(0, upload(index, self.device))
        return upload(self._pixels.take(self.rows[index]), self.device)

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
    """The images of ``rows`` on the device; main memory never holds them all a second time."""
    images = torch.empty((len(rows), *pixels.shape[1:]), dtype=torch.uint8, device=device)
    size = at_once(_TAKEN_AT_ONCE, pixels.shape[1:])
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        images[start : start + len(part)].copy_(torch.from_numpy(pixels.take(part)))
    return images


def _room(device: torch.device) -> int:
    """Bytes that may be kept on a device."""
    half = _free_memory(device) // 2
    return min(half, _MOST_IN_MAIN_MEMORY) if device.type == "cpu" else half


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":  # it shares main memory, and takes a part of it
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return int(psutil.virtual_memory().available)
