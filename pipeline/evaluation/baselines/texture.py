"""The texture baseline: local statistics of an image, by gradient boosting.

It knows how light, rough and edged the image is at its most and least, at several scales, but not
where, nor in what shape. Where it does as well as the network, no network was needed.
"""

from functools import reduce

import numpy as np

from raresight.pipeline.evaluation.baselines.fitting import Images, Scores, in_batches, scores_by

SHARES = (0.0, 0.01, 0.5, 0.99, 1.0)  # quantiles over an image; the middle one is the median
LARGEST = 128  # pixels a side; larger images are averaged down to it
SMALLEST = 4  # of the coarsest scale; smaller images have their own size alone

MOST_IMAGES = 10_000  # that it is fitted on
_TREES = 300  # in all, about: each iteration grows one for each of several classes
_ITERATIONS = 100  # at most


def texture_features(images: Images, rows: np.ndarray) -> np.ndarray:
    """What the texture baseline knows of images: quantiles of local statistics, at each scale.

    ``images`` is uint8 (n, H, W, C), an array or a dataset's pixels. The result is float32
    (len(rows), F). The planes are lightness (the mean of the channels) and, where there are several
    channels, chroma (their greatest less their least). At each scale, the image's own and every
    halving down to 4 pixels, each plane has three maps: mean and log standard deviation of 3x3
    windows, and log gradient (Sobel). Of each map there are the median, and how far minimum,
    1 %, 99 % and maximum are from it.
    """
    return in_batches(_features, images, rows)


def _features(images: np.ndarray) -> np.ndarray:
    planes = _shrunk(_planes(images))
    found = []
    while True:
        found.append(_statistics(planes))
        height, width = (size // 2 for size in planes.shape[2:])
        if min(height, width) < SMALLEST:
            return np.hstack(found)
        even = planes[:, :, : 2 * height, : 2 * width]
        rows = [even[:, :, start::2, ::2] + even[:, :, start::2, 1::2] for start in (0, 1)]
        planes = (rows[0] + rows[1]) / np.float32(4)


def _planes(images: np.ndarray) -> np.ndarray:
    """Lightness and chroma in [0, 1], float32 (n, P, H, W); gray images have lightness alone."""
    channels = [images[..., channel] for channel in range(images.shape[-1])]
    total = reduce(np.add, channels, np.zeros(images.shape[:-1], np.uint16))
    found = [total / np.float32(len(channels))]
    if len(channels) > 1:
        chroma = reduce(np.maximum, channels) - reduce(np.minimum, channels)
        found.append(chroma.astype(np.float32))
    return np.stack(found, axis=1) / 255


def _shrunk(planes: np.ndarray) -> np.ndarray:
    height, width = planes.shape[2:]
    if max(height, width) <= LARGEST:
        return planes
    import cv2

    scale = LARGEST / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = [
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        for plane in planes.reshape(-1, height, width)
    ]
    return np.stack(small).reshape(*planes.shape[:2], size[1], size[0])


def _statistics(planes: np.ndarray) -> np.ndarray:
    """The quantiles of three maps of each plane (n, P, H, W): (n, F)."""
    import cv2

    count, kinds, height, width = planes.shape
    maps = np.empty((3, count * kinds, height, width), np.float32)
    mean, square, slope = maps
    for k, plane in enumerate(planes.reshape(mean.shape)):
        cv2.blur(plane, (3, 3), dst=mean[k])
        cv2.blur(plane * plane, (3, 3), dst=square[k])
        # Not cv2.magnitude, which rounds by where in memory its arguments lie.
        across, down = cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)
        np.add(across * across, down * down, out=slope[k])
    square -= mean * mean
    ends = np.sort(maps.reshape(3, count, kinds, height * width), axis=-1)
    ends = ends[..., [round(share * (ends.shape[-1] - 1)) for share in SHARES]]
    # Sorted first: roots and logarithms keep the order, and five numbers are fewer than an image's.
    # Half a gray level is added, so that flat and nearly flat windows are the same.
    deviation, gradient = np.sqrt(np.maximum(ends[1:], 0))
    ends[1:] = np.log(np.stack([deviation, gradient / 8]) + np.float32(0.5 / 255))
    median = SHARES.index(0.5)
    others = np.arange(len(SHARES)) != median
    ends[..., others] -= ends[..., [median]]
    return np.moveaxis(ends, 0, 1).reshape(count, 3 * kinds * len(SHARES))


def fit_texture(features: np.ndarray, targets: np.ndarray, *, num_classes: int) -> Scores:
    """Gradient boosting on ``features`` (n, F); returns features -> scores (m, K).

    On one thread: sums of many threads round otherwise, and the scores would depend on the machine.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingClassifier(
        max_iter=min(_ITERATIONS, _TREES // max(1, num_classes)),
        max_leaf_nodes=15,
        min_samples_leaf=10,
        max_bins=63,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(limits=1, user_api="openmp"):
        return scores_by(model, features, targets, num_classes=num_classes)
