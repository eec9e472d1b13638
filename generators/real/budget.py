"""How many pixels are decoded at once, however small their files are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """Room for so many pixels of images that are decoded by threads at the same time.

    An image of more than that waits until it is alone.
    """

    def __init__(self, pixels: int):
        self._room = self._most = pixels
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, size: tuple[int, int]) -> Iterator[None]:
        """Wait until there is room for an image of this width and height, and take it up."""
        pixels = min(size[0] * size[1], self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._room >= pixels)
            self._room -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._room += pixels
                self._changed.notify_all()
