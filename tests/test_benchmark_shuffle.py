"""What an order costs a disk is counted right, and the windows' settings are a valid section."""

import numpy as np
import pytest

from benchmarks import shuffle
from benchmarks.imbalance import section

BLOCK = 128 << 10


@pytest.mark.parametrize(
    ("cache", "reads"),
    [
        (2 * BLOCK, 4),  # block 0, block 1, 0 again, block 2 for 1, 0 kept
        (BLOCK, 5),
        (3 * BLOCK, 3),
    ],
)
def test_what_is_out_of_memory_is_read_again(cache, reads):
    """Two images a block; those of blocks 0, 1, 0, 2, 1, 1: the oldest goes out."""
    order = np.array([0, 2, 1, 4, 3, 2])
    found = shuffle.reading(order, image=BLOCK // 2, cache=cache)
    assert found["reads"] == reads
    assert found["bytes"] == pytest.approx(reads * BLOCK / (6 * BLOCK / 2))


def test_an_image_across_two_blocks_reads_both():
    found = shuffle.reading(np.array([1]), image=BLOCK * 3 // 4, cache=9 * BLOCK)
    assert found["reads"] == 2


def test_windows_read_a_set_once_through_a_quarter_of_it():
    found = shuffle.readings(80_000)
    assert found["whole shuffle"]["bytes"] > 3
    assert found["shuffled"]["bytes"] < 1.1


def test_every_way_to_lie_is_an_order_of_the_images_and_the_difference_is_of_pairs():
    images, targets = (
        np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1),
        np.array([1, 0, 0, 1, 0, 1]),
    )
    for lie in shuffle.LIE.values():
        assert sorted(lie(images, targets, 1).tolist()) == list(range(6))
    found = {shuffle.WHOLE: [0.5, 0.7], "shuffled": [0.6, 0.7]}
    lines = list(shuffle.table(found, {"shuffled": {"reads": 7, "bytes": 1.5}}))
    assert "| 0.650 ± 0.050 | +0.050 ± 0.050 | 7 | 1.50 |" in lines[-1]
    assert section(1, {"shuffle_window": shuffle.WINDOW}).shuffle_window == shuffle.WINDOW
