"""Images on their way into the model: resident where they fit, augmented in whole batches."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from pipeline.core import seeds
from pipeline.training.params import BatchAugmentParams

MAPPED_AT_ONCE = 256 << 20  # bytes


class Feed:
    """Images and targets that batches are taken from, by index.

    ``pixels`` is anything of shape (N, H, W, 3), dtype uint8, with ``take(rows)``. When all of it
    fits into half the free memory of the device it is kept there; otherwise each batch is read
    from it, and what a memory map holds of it stays bounded.
    """

    def __init__(self, pixels, rows: np.ndarray, targets: np.ndarray, device: torch.device):
        self.device = device
        self.rows = rows
        self.targets = torch.from_numpy(np.asarray(targets, np.int64)).to(device)
        self._pixels = pixels
        self._mapped = 0  # bytes read from the map since its pages were last given back
        fits = len(rows) * int(np.prod(pixels.shape[1:])) <= _free_memory(device) // 2
        self._resident = torch.from_numpy(pixels.take(rows)).to(device) if fits else None

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, index: np.ndarray) -> Tensor:
        """uint8 (n, H, W, 3) on the device."""
        if self._resident is not None:
            return self._resident[torch.from_numpy(index).to(self.device)]
        batch = self._pixels.take(self.rows[index])
        self._mapped += batch.nbytes
        if self._mapped > MAPPED_AT_ONCE:
            self._pixels.release()
            self._mapped = 0
        return torch.from_numpy(batch).to(self.device)

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
        return self.targets[torch.from_numpy(index).to(self.device)]


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


class BatchAugment:
    """Flips, quarter turns and whole-pixel shifts of a batch: every pixel stays what it was.

    What happens to a sample is a pure function of (seed, epoch, sample index), whatever the batches
    are. Pixels that a shift uncovers mirror those inside.
    """

    def __init__(self, params: BatchAugmentParams, *, seed: int, samples: int):
        self.params = params
        self.seed = seed
        self.samples = samples
        self._epoch, self._draws = None, None

    def __call__(self, images: Tensor, index: np.ndarray, epoch: int) -> Tensor:
        """``images`` is uint8 (n, H, W, 3), ``index`` the samples' indices; returns the same
        shape.
        """
        n, height, width, channels = images.shape
        draws = torch.from_numpy(self._of_epoch(epoch)[index]).to(images.device)
        rows = _mirror(torch.arange(height, device=images.device) + draws[:, :1], height)
        columns = _mirror(torch.arange(width, device=images.device) + draws[:, 1:2], width)
        rows = torch.where(draws[:, 2:3] == 1, height - 1 - rows, rows)
        columns = torch.where(draws[:, 3:4] == 1, width - 1 - columns, columns)
        source = rows[:, :, None] * width + columns[:, None, :]
        if height == width:
            source = torch.where(draws[:, 4, None, None] == 1, source.transpose(1, 2), source)
        source = source + torch.arange(n, device=images.device)[:, None, None] * (height * width)
        flat = images.reshape(n * height * width, channels)
        return flat[source.reshape(-1)].view(n, height, width, channels)

    def _of_epoch(self, epoch: int) -> np.ndarray:
        """int64 (samples, 5): shift down and right, flip down and right, transpose."""
        if self._epoch != epoch:
            rng = seeds.rng(self.seed, "batch augment", epoch)
            shift = self.params.shift
            draws = np.empty((self.samples, 5), np.int64)
            draws[:, :2] = rng.integers(-shift, shift + 1, (self.samples, 2))
            draws[:, 2:4] = rng.integers(0, 2, (self.samples, 2))
            draws[:, 4] = rng.integers(0, 2, self.samples)
            if not self.params.flip and not self.params.rotate90:
                draws[:, 2:] = 0
            elif not self.params.flip:  # the four rotations: an even number of mirrorings
                draws[:, 3] = draws[:, 2] ^ draws[:, 4]
            elif not self.params.rotate90:
                draws[:, 4] = 0
            self._epoch, self._draws = epoch, draws
        return self._draws


def _mirror(position: Tensor, size: int) -> Tensor:
    """Reflect positions outside [0, size) back in, the border pixel not repeated."""
    position = position.abs()
    return torch.where(position >= size, 2 * (size - 1) - position, position)
