"""``train.sampler``: how often an epoch shows each class, a pure function of params and epoch.

Each sampler is one class: its keys in params.yaml, and the images of each class that it asks for.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from raresight.pipeline.core.params import ByName, Section
from raresight.pipeline.training.data.rounding import whole


class Sampler(Section):
    """Base of every sampler.

    ``max_per_class`` first bounds the images of a class (a new draw every epoch; null: all).
    """

    name: str
    max_per_class: Annotated[int, Field(ge=1, le=100_000_000)] | None = None

    @property
    @abstractmethod
    def evens_out(self) -> bool:
        """Whether the classes come nearer to being shown equally often."""

    @abstractmethod
    def wanted(self, counts: np.ndarray, t: float) -> np.ndarray:
        """The images of each class, (K,) to (K,), whole or not; as many in all as ``counts``.

        ``t`` in [0, 1] is how far the training is: 0 in the first epoch, 1 in the last.
        """

    def class_counts(self, available: np.ndarray, *, epoch: int, epochs: int) -> np.ndarray:
        """How many images of each class an epoch shows, int64 (K,); the same number in all.

        ``available`` (K,) are those there are; ``epoch`` counts from 0.
        """
        counts = np.asarray(available, np.int64)
        if self.max_per_class is not None:
            counts = np.minimum(counts, self.max_per_class)
        return whole(self.wanted(counts, epoch / max(1, epochs - 1)), int(counts.sum()))


class Shuffled(Sampler):
    """Every image once."""

    name: Literal["shuffled"] = "shuffled"

    @property
    def evens_out(self) -> bool:
        return False

    def wanted(self, counts: np.ndarray, t: float) -> np.ndarray:
        return counts


class Balanced(Sampler):
    """Every class alike."""

    name: Literal["balanced"] = "balanced"

    @property
    def evens_out(self) -> bool:
        return True

    def wanted(self, counts: np.ndarray, t: float) -> np.ndarray:
        return _even(counts) * counts.sum()


class SquareRoot(Sampler):
    """Each class by the square root of its size."""

    name: Literal["square_root"] = "square_root"

    @property
    def evens_out(self) -> bool:
        return True

    def wanted(self, counts: np.ndarray, t: float) -> np.ndarray:
        return np.sqrt(counts) / np.sqrt(counts).sum() * counts.sum()


class Progressive(Sampler):
    """From shuffled to balanced over the training in even steps (Kang et al. 2020)."""

    name: Literal["progressive"] = "progressive"

    @property
    def evens_out(self) -> bool:
        return True

    def wanted(self, counts: np.ndarray, t: float) -> np.ndarray:
        return ((1 - t) * (counts / counts.sum()) + t * _even(counts)) * counts.sum()


SAMPLERS = {
    "shuffled": Shuffled,
    "balanced": Balanced,
    "square_root": SquareRoot,
    "progressive": Progressive,
}
SamplerParams = Annotated[Sampler, ByName(SAMPLERS, default="shuffled")]


def _even(counts: np.ndarray) -> np.ndarray:
    """The same share for each class that there is an image of."""
    there = counts > 0
    return there / there.sum()
