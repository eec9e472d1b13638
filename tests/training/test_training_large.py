"""A set that is read through its memory map: resident memory stays flat."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.dataset.pixels import Pixels
from pipeline.training import feed
from pipeline.training.feed import Feed

MEGABYTES = 96


def resident() -> int:
    """Megabytes of mapped files in memory, of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssFile"))) >> 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(("bound", "flat"), [(8, True), (1000, False)])
def test_resident_memory_stays_flat_over_an_epoch(bound, flat, tmp_path, monkeypatch):
    rows = MEGABYTES * 2**20 // (64 * 64 * 3)
    path = tmp_path / "pixels.bin"
    np.zeros((rows, 64, 64, 3), np.uint8).tofile(path)
    shard = np.memmap(path, np.uint8, "r", shape=(rows, 64, 64, 3))
    monkeypatch.setattr(feed, "_free_memory", lambda device: 0)
    monkeypatch.setattr(feed, "MAPPED_AT_ONCE", bound << 20)
    pixels = Pixels([shard], (64, 64, 3), mapped=True)
    images = Feed(pixels, np.arange(rows), np.zeros(rows, np.int64), torch.device("cpu"))
    order = np.random.Generator(np.random.PCG64(1)).permutation(rows)
    before, most = resident(), 0
    for _ in images.batches(np.array_split(order, rows // 64)):
        most = max(most, resident() - before)
    assert (most < MEGABYTES // 2) == flat
