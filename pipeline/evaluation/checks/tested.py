"""Test images with the answers of the model, and how it is asked for more."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Answers = Callable[[np.ndarray], np.ndarray]  # images uint8 (n, H, W, C) -> class indices (n,)


@dataclass(frozen=True, kw_only=True)
class Tested:
    """Test images and the answers to them: ``rows`` of the dataset, ``predicted`` class indices and
    ``groups`` from 0 up, int (n,) each.
    """

    rows: np.ndarray
    predicted: np.ndarray
    groups: np.ndarray
