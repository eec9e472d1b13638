"""Distributions of the factors an image is made from: each can sample, and tell what it
contains.
"""

from typing import Annotated

from pydantic import AfterValidator


def _ordered(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("must be [low, high] with low <= high")
    return pair


Uniform = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""A pair [low, high]: every value between them is equally likely."""


def _not_negative(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] < 0:
        raise ValueError("must not go below 0")
    return pair


def _above_zero(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] <= 0:
        raise ValueError("must lie above 0")
    return pair


NonNegative = Annotated[Uniform, AfterValidator(_not_negative)]
Positive = Annotated[Uniform, AfterValidator(_above_zero)]


def at(interval: tuple[float, float], u: float) -> float:
    """The value of the uniform distribution over ``interval`` at quantile ``u`` in [0, 1)."""
    low, high = interval
    return low + (high - low) * u


def whole(interval: tuple[float, float], u: float) -> int:
    """As :func:`at` over the whole numbers from low to high, both included."""
    low, high = interval
    return int(low + (high - low + 1) * u)


def contains(interval: tuple[float, float], value: float) -> bool:
    """Whether ``value`` can be drawn from ``interval``."""
    return interval[0] <= value <= interval[1]
