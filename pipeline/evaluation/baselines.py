"""What a model has to beat: the majority class, random guesses, and a shortcut on colors."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task

# Random streams keep the names they began with: no interval moves for a word.
_STREAMS = {"shortcut_baseline": "shortcut"}

BINS = 8  # of a color histogram, a channel
THUMBNAIL = 8  # pixels a side
_IMAGES_AT_ONCE = 256


class Images(Protocol):
    """An array of images, or a dataset's pixels: uint8 (n, H, W, C)."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: np.ndarray) -> np.ndarray: ...


def stream(name: str) -> str:
    """What the random streams of the entry ``name`` are called."""
    return _STREAMS.get(name, name)


def majority(
    task: Task, targets: np.ndarray, *, seen: np.ndarray, groups: np.ndarray | None = None
) -> Predictions:
    """Always answering the class that is most frequent in ``seen``, the training targets (m,).

    All images get the same scores: nothing is ranked above anything else. ``groups``, int (n,), are
    those of the images judged.
    """
    answer = int(np.bincount(seen, minlength=len(task.classes)).argmax())
    scores = np.zeros((len(targets), len(task.classes)))
    scores[:, answer] = 1.0
    predicted = np.full(len(targets), answer)
    return Predictions(
        task=task, targets=targets, scores=scores, predicted=predicted, groups=groups
    )


def guesses(task: Task, targets: np.ndarray, *, seen: np.ndarray) -> np.ndarray:
    """The expected confusion (K, K) of guessing each class as often as it is in ``seen`` (m,).

    Guesses do not look at the images: whatever the class, its ``targets`` (n,) are predicted
    each class in these shares. Expected counts, float, so that no dice are thrown.
    """
    size = len(task.classes)
    shares = np.bincount(seen, minlength=size) / len(seen)
    return np.outer(np.bincount(targets, minlength=size), shares)


def shortcut_features(images: Images, rows: np.ndarray) -> np.ndarray:
    """What the shortcut baseline knows of images: color histogram, mean color, and a thumbnail.

    ``images`` is uint8 (n, H, W, C), an array or a dataset's pixels. The result is float64
    (len(rows), F): shares of 8 bins a channel, and mean colors of the whole and of 8x8 fields (or
    as many as there are pixels), both in [0, 1].
    """
    parts = [
        _features(images[rows[start : start + _IMAGES_AT_ONCE]])
        for start in range(0, len(rows), _IMAGES_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else _features(np.zeros((0, *images.shape[1:]), np.uint8))


def _features(images: np.ndarray) -> np.ndarray:
    count, height, width, channels = images.shape
    rows, columns = _starts(height), _starts(width)
    sums = np.add.reduceat(images, rows, axis=1, dtype=np.uint32)
    sums = np.add.reduceat(sums, columns, axis=2, dtype=np.uint32)
    areas = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
    thumbnails = sums / (255 * areas[..., None])
    means = sums.sum(axis=(1, 2)) / (255 * height * width)
    features = [_histograms(images), means, thumbnails.reshape(count, areas.size * channels)]
    return np.hstack(features)


def _histograms(images: np.ndarray) -> np.ndarray:
    import cv2

    count, height, width, channels = images.shape
    counts = np.empty((count, channels, BINS))
    for image, of_image in zip(images, counts, strict=True):
        for channel in range(channels):
            of_image[channel] = cv2.calcHist([image], [channel], None, [BINS], [0, 256]).ravel()
    return np.asarray(counts.reshape(count, channels * BINS) / (height * width))


def _starts(size: int) -> np.ndarray:
    """Where each field of a thumbnail begins along a side of ``size`` pixels."""
    return np.linspace(0, size, min(THUMBNAIL, size), endpoint=False).astype(int)


def fit_shortcut(
    features: np.ndarray, targets: np.ndarray, *, num_classes: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Logistic regression on standardised ``features`` (n, F); returns features -> scores (m, K).

    What it can do, a model can do without having learnt what the classes look like. A class
    that ``targets`` lack gets score 0.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = np.unique(targets)
    if len(known) == 1:
        return lambda features: np.repeat(np.eye(num_classes)[known], len(features), axis=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(features, targets)

    def scores(features: np.ndarray) -> np.ndarray:
        full = np.zeros((len(features), num_classes))
        full[:, known] = model.predict_proba(features)
        return full

    return scores
