"""The shortcut baseline: what colors alone tell, by logistic regression."""

import numpy as np

from raresight.pipeline.evaluation.baselines.fitting import Images, Scores, in_batches, scores_by

BINS = 8  # of a color histogram, a channel
THUMBNAIL = 8  # pixels a side

MOST_IMAGES = 50_000  # that it is fitted on; 2 KB each, and twice that on the way


def shortcut_features(images: Images, rows: np.ndarray) -> np.ndarray:
    """What the shortcut baseline knows of images: color histogram, mean color, and a thumbnail.

    ``images`` is uint8 (n, H, W, C), an array or a dataset's pixels. The result is float64
    (len(rows), F): shares of 8 bins a channel, and mean colors of the whole and of 8x8 fields (or
    as many as there are pixels), both in [0, 1].
    """
    return in_batches(_features, images, rows)


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


def fit_shortcut(features: np.ndarray, targets: np.ndarray, *, num_classes: int) -> Scores:
    """Logistic regression on standardised ``features`` (n, F); returns features -> scores (m, K).

    What it can do, a model can do without having learnt what the classes look like. A class
    that ``targets`` lack gets score 0.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return scores_by(model, features, targets, num_classes=num_classes)
