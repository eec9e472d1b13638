"""Where an image lies: in a file of its own, or as a part of one with many."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raresight.generators.image_file import named_as_image, readable_name
from raresight.generators.reading.decoding import NoContent


class Content(ABC):
    """The place of one image. Every record carries its own, so that any process can read it."""

    named_as_image = True  # False where its very name says that it is something else

    @abstractmethod
    def read(self) -> bytes | np.ndarray:
        """The bytes of an image, or its pixels: (H, W) or (H, W, 3)."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What a person finds it by."""


@dataclass(frozen=True, kw_only=True)
class File(Content):
    """An image in a file of its own."""

    path: Path

    def read(self) -> bytes:
        if not self.path.is_file():  # a pipe or a socket would be waited for
            raise NoContent("not a file (or a broken link)")
        return self.path.read_bytes()

    @property
    def name(self) -> str:
        return readable_name(str(self.path))

    @property
    def named_as_image(self) -> bool:  # type: ignore[override]
        return named_as_image(self.path)
