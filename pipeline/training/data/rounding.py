"""Shares as whole numbers of images."""

import numpy as np


def whole(wanted: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers that sum to ``total``, int64, each less than 1 from what is ``wanted``."""
    floor = np.floor(wanted + 1e-9).astype(np.int64)
    order = np.argsort(floor - wanted, kind="stable")
    floor[order[: total - floor.sum()]] += 1
    return floor
