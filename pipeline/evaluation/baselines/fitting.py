"""What the fitted baselines share: images in batches, and scores for every class."""

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from raresight.pipeline.core.parallel import available_cores
from raresight.pipeline.dataset.pixels import at_once

Scores = Callable[[np.ndarray], np.ndarray]  # features (n, F) -> scores (n, K)

_IMAGES_AT_ONCE, _TIMES = 256, 8  # what features take of an image's bytes meanwhile


class Images(Protocol):
    """An array of images, or a dataset's pixels: uint8 (n, H, W, C)."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: np.ndarray) -> np.ndarray: ...


def in_batches(
    features: Callable[[np.ndarray], np.ndarray], images: Images, rows: np.ndarray
) -> np.ndarray:
    """``features`` of ``rows`` of ``images``, (len(rows), F), with few images in memory at once."""
    cores = available_cores()
    size = at_once(_IMAGES_AT_ONCE, (cores, _TIMES, *images.shape[1:]))

    def part(start: int) -> np.ndarray:
        return features(images[rows[start : start + size]])

    with ThreadPoolExecutor(cores) as pool:  # numpy and OpenCV let other threads run
        parts = list(pool.map(part, range(0, len(rows), size)))
    return np.concatenate(parts) if parts else features(np.zeros((0, *images.shape[1:]), np.uint8))


def scores_by(
    model: Any, features: np.ndarray, targets: np.ndarray, *, num_classes: int, **fit: Any
) -> Scores:
    """Fit a classifier of scikit-learn; returns features -> scores (n, K).

    A class that ``targets`` (n,) lacks gets score 0. ``fit`` goes to the classifier's ``fit``.
    """
    known = np.unique(targets)
    if len(known) == 1:
        return lambda features: np.repeat(np.eye(num_classes)[known], len(features), axis=0)
    fit_classes(model, features, targets, **fit)

    def scores(features: np.ndarray) -> np.ndarray:
        full = np.zeros((len(features), num_classes))
        if len(features):  # scikit-learn refuses none
            full[:, known] = model.predict_proba(features)
        return full

    return scores


def fit_classes(model: Any, features: np.ndarray, targets: np.ndarray, **fit: Any) -> None:
    """Fit a classifier of scikit-learn to ``features`` (n, F) and class indices (n,).

    With many classes of few images it takes class indices for the values of a regression, and warns
    of it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes is greater")
        model.fit(features, targets, **fit)
