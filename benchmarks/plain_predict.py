"""A folder of PNGs scored without Raresight: a loop of Pillow and torch, and a DataLoader.

``python -m benchmarks.plain_predict PEER MODEL FOLDER SIDE OUT THREADS``
"""

import csv
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from raresight.pipeline.models.checkpoint import load_model
from raresight.pipeline.models.classifier import Classifier

_BATCH = 256
Peer = Callable[[Classifier, Sequence[str], int, Path], None]


def plain(model: Classifier, files: Sequence[str], side: int, out: Path) -> None:
    """plain loop, Pillow and torch"""
    with out.open("w", newline="") as sink, torch.inference_mode():
        writer = csv.writer(sink)
        for at in range(0, len(files), _BATCH):
            some = files[at : at + _BATCH]
            pixels = torch.from_numpy(np.stack([_read(file, side) for file in some]))
            scores = model(pixels).softmax(1).tolist()
            writer.writerows([file, *row] for file, row in zip(some, scores, strict=True))


class _Files(torch.utils.data.Dataset[torch.Tensor]):
    def __init__(self, files: Sequence[str], side: int):
        self.files, self.side = files, side

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> torch.Tensor:
        return torch.from_numpy(_read(self.files[row], self.side))


def loader(model: Classifier, files: Sequence[str], side: int, out: Path) -> None:
    """torch DataLoader, 2 workers"""
    batches = DataLoader(_Files(files, side), batch_size=_BATCH, num_workers=2)
    with out.open("w", newline="") as sink, torch.inference_mode():
        writer, at = csv.writer(sink), 0
        for pixels in batches:
            scores = model(pixels).softmax(1).tolist()
            some = files[at : at + len(scores)]
            writer.writerows([file, *row] for file, row in zip(some, scores, strict=True))
            at += len(scores)


def _read(file: str, side: int) -> np.ndarray:
    with Image.open(file) as image:
        return np.array(image.convert("RGB").resize((side, side)))


PEERS: dict[str, Peer] = {"plain": plain, "loader": loader}


def main(peer: str, model: str, folder: str, side: str, out: str, threads: str) -> None:
    """Score the PNGs below the folder with the model, and write the scores."""
    files = sorted(map(str, Path(folder).rglob("*.png")))
    network = load_model(Path(model), "cpu").model
    torch.set_num_threads(int(threads))
    PEERS[peer](network, files, int(side), Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
