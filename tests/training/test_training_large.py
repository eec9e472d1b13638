"""A set that is read through its memory map: resident memory stays flat."""

from pathlib import Path

import numpy as np
import pytest
import torch

from raresight.pipeline.dataset import pixels as mapped
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.training.data import feed
from raresight.pipeline.training.data.feed import Feed

MEGABYTES = 96


def resident(path: Path) -> int:
    """Megabytes of a mapped file that are in this process's memory.

    Of this file alone: the code of large libraries comes and goes, too.
    """
    kilobytes, here = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name = line.split(maxsplit=5)
        if "-" in name[0]:  # the head of a mapping: addresses, ..., path
            here = name[-1] == str(path)
        elif here and name[0] == "Rss:":
            kilobytes += int(name[1])
    return kilobytes >> 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("bound", "shuffled", "releases"),
    [
        (8, False, range(30, 50)),  # a batch of 0.75 MB counts as one block of 2 MB, or as two
        (200, True, range(40, 45)),  # 64 images lie in some 36 of the 48 blocks
        (10_000_000, True, range(1)),
    ],
)
def test_what_was_read_from_the_map_is_given_back(bound, shuffled, releases, tmp_path, monkeypatch):
    """After ``bound`` megabytes nothing of the file is in memory.

    The kernel may map more than was read, up to two megabytes around a page: so much is counted.
    """
    rows = MEGABYTES * 2**20 // (64 * 64 * 3)
    path = tmp_path / "pixels.bin"
    np.zeros((rows, 64, 64, 3), np.uint8).tofile(path)
    shard = np.memmap(path, np.uint8, "r", shape=(rows, 64, 64, 3))
    monkeypatch.setattr(feed, "_free_memory", lambda device: 0)
    monkeypatch.setattr(mapped, "MAPPED_AT_ONCE", bound << 20)
    pixels = Pixels([shard], (64, 64, 3), mapped=True)
    images = Feed(pixels, np.arange(rows), np.zeros(rows, np.int64), torch.device("cpu"))
    order = np.arange(rows)
    if shuffled:
        order = np.random.Generator(np.random.PCG64(1)).permutation(rows)
    release, left = pixels.release, []

    def watched():
        assert resident(path) > 1
        release()
        left.append(resident(path))

    monkeypatch.setattr(pixels, "release", watched)
    for _ in images.batches(np.array_split(order, rows // 64)):
        pass
    assert len(left) in releases
    assert max(left, default=0) <= 1
