"""A dataset as torch sees it; the only module of this room that imports torch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Dataset as TorchDataset

if TYPE_CHECKING:
    from raresight.pipeline.dataset.reader import Dataset


class TorchView(TorchDataset[tuple[torch.Tensor, int]]):
    """Items are (uint8 tensor (C, H, W), index into ``classes``); give it to any DataLoader."""

    def __init__(self, data: "Dataset", rows: Sequence[int] | None = None):
        self.data = data
        self.rows = np.arange(len(data)) if rows is None else np.asarray(rows)
        self.classes = list(data.classes)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, item: int) -> tuple[torch.Tensor, int]:
        row = self.rows[item]
        pixels = np.array(self.data.images[row])  # a writable copy: the map is read-only
        return torch.from_numpy(pixels).permute(2, 0, 1), int(self.data.targets[row])
