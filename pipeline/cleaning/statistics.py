"""Cheap statistics of images, in which what a net has not learned to see still shows."""

from collections.abc import Iterable

import cv2
import numpy as np

_SIDE = 32  # pixels at which frequencies are counted


def statistics(images: Iterable[np.ndarray]) -> np.ndarray:
    """Frequencies, edges and levels of n images, uint8 (H, W, C) each: float (n, F)."""
    return np.stack([_of_one(image) for image in images])


def _of_one(image: np.ndarray) -> np.ndarray:
    gray = image.astype(np.float32).mean(axis=2)
    small = cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    # Energy by frequency, in blocks; what a blur or a seam changes first is the high ones.
    waves = np.log1p(np.abs(cv2.dct(small - small.mean())))
    blocks = waves.reshape(8, 4, 8, 4).mean(axis=(1, 3)).ravel()
    edges = gray - cv2.GaussianBlur(gray, (0, 0), 1)
    channels = image.reshape(-1, image.shape[2])
    return np.concatenate(
        (
            blocks,
            [edges.std(), np.abs(edges).max()],
            np.quantile(edges, (0.01, 0.05, 0.95, 0.99)),
            np.quantile(gray, (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)),
            channels.mean(axis=0),
            channels.std(axis=0),
        )
    )
