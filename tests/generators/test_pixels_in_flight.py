"""However many images are decoded, and however small their files: memory is bounded."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from raresight.generators.reading import ranges
from raresight.generators.reading.ranges import Values
from raresight.generators.real.budget import PixelBudget


def test_no_more_pixels_are_held_at_once_than_there_is_room_for():
    budget, lock = PixelBudget(100), threading.Lock()
    held, most, done = 0, 0, []
    sizes = np.random.default_rng(0).integers(1, 14, (300, 2)).tolist()  # up to 169 pixels

    def decode(size):
        nonlocal held, most
        pixels = min(size[0] * size[1], 100)
        with budget.holding(tuple(size)):
            with lock:
                held += pixels
                most = max(most, held)
            threading.Event().wait(0.0005)
            with lock:
                held -= pixels
        done.append(size)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, sizes))
    assert sorted(done) == sorted(sizes)
    assert 50 < most <= 100


def test_room_comes_back_after_an_image_that_cannot_be_decoded():
    budget = PixelBudget(10)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), budget.holding((5, 5)):
            raise ValueError("broken")
    with budget.holding((10, 1)):
        pass


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.int32])
def test_values_become_the_same_levels_in_pieces_as_whole(monkeypatch, kind, inverted):
    array = np.random.default_rng(1).integers(0, 4000, (31, 7, 3)).astype(kind)
    values = Values(array=array, full=(0, 65535), kind="x", inverted=inverted)
    shares = (np.clip(array.astype(float), 100, 3000) - 100) / 2900
    expected = np.rint(255 * (1 - shares if inverted else shares)).astype(np.uint8)
    for at_once in (1, 50, 10**6):
        monkeypatch.setattr(ranges, "_AT_ONCE", at_once)
        assert np.array_equal(values.levels((100, 3000)), expected)
