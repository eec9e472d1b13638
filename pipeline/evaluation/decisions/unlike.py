"""How unlike the training images an image is: by its pixels, and by what the network sees in it.

Softmax scores and energies do not tell: a network that was trained on one kind of images is sure of
others, too. Distances of Mahalanobis do (Lee et al. 2018, https://arxiv.org/abs/1807.03888), to the
nearest class, with one covariance for all of them: so a rare class is not unlike for being rare.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

# What each measure looks at: eight statistics of the pixels, and the input of the last layer.
MEASURES = ("pixels", "features")
FLAGGED = 0.01  # the share of ordinary images that are flagged at most, by all measures together
MOST_FEATURES = 2048  # of more the covariance would outweigh the model
_BLOCK = 1 << 18  # bytes of pixels at a time, which a core's cache holds


def pixel_statistics(images: np.ndarray) -> np.ndarray:
    """Eight numbers an image, float64 (n, 8), of images uint8 (n, H, W, 3).

    The mean of each channel; and the square roots of each channel's standard deviation and of the
    mean absolute difference of neighbors, from left to right and from top to bottom (0 where there
    are none). The roots keep both ends apart: of contrasts as they are, none is not far from
    little; of their logarithms, noise is not far from much.
    """
    step = max(1, _BLOCK // max(1, images[:1].nbytes))
    parts = [_statistics(images[start : start + step]) for start in range(0, len(images), step)]
    return np.concatenate([np.empty((0, 8)), *parts])


def _statistics(images: np.ndarray) -> np.ndarray:
    n, height, width, channels = images.shape
    # As rows of bytes: with three channels to go over at a time numpy is 20 times as slow. Whole
    # numbers, as sums of floats would depend on their order.
    rows = np.ascontiguousarray(images).reshape(n, height, width * channels)

    def by_channel(values: np.ndarray) -> np.ndarray:
        sums = values.sum(axis=1, dtype=np.uint32).reshape(n, width, channels)
        return np.asarray(sums.sum(axis=1, dtype=np.float64) / (height * width))

    mean = by_channel(rows)
    variance = by_channel(np.square(rows, dtype=np.uint16)) - mean**2
    neighbors = (rows[..., channels:], rows[..., :-channels]), (rows[:, 1:], rows[:, :-1])
    gradients = [
        # The larger less the smaller one: bytes have no negative differences.
        (np.maximum(*pair) - np.minimum(*pair)).sum(axis=(1, 2), dtype=np.int64)
        / max(1, pair[0][0].size)
        for pair in neighbors
    ]
    deviation = np.sqrt(np.maximum(variance, 0))
    contrasts = np.concatenate([deviation, np.stack(gradients, axis=1)], axis=1)
    return np.concatenate([mean, np.sqrt(contrasts)], axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """Where the training images lie by one measure.

    ``means`` (C, F) are those of the classes, ``precision`` (F, F) the inverse of the covariance
    within the classes, ``bound`` the distance that few ordinary images exceed.
    """

    means: np.ndarray
    precision: np.ndarray
    bound: float

    @cached_property
    def _whitening(self) -> np.ndarray:
        return np.linalg.cholesky(self.precision)

    def ratios(self, values: np.ndarray) -> np.ndarray:
        """The distance of each row of ``values`` (n, F) from the nearest class, in ``bound``s.

        Float (n,); above 1 is unlike the training images.
        """
        return self.distances(values) / self.bound

    def distances(self, values: np.ndarray) -> np.ndarray:
        """Mahalanobis' distance of each row of ``values`` (n, F) from the nearest class, (n,)."""
        means = self.means @ self._whitening
        spread = np.asarray(values, np.float64) @ self._whitening
        nearest = np.full(len(spread), np.inf)
        for mean in means:
            nearest = np.minimum(nearest, np.square(spread - mean).sum(axis=1))
        return np.asarray(np.sqrt(nearest))


def fit_reference(
    values: np.ndarray, targets: np.ndarray, ordinary: np.ndarray, *, flagged: float
) -> Reference:
    """The reference of training images ``values`` (n, F) with classes ``targets`` (n,), n > 0.

    The covariance is Ledoit and Wolf's, which stays invertible with few images. At most the share
    ``flagged`` of images like ``ordinary`` (m, F), which were not trained on, exceeds the bound:
    that is their quantile for m of them and one more (Vovk et al. 2005), or the largest of them
    where they are too few.
    """
    from sklearn.covariance import LedoitWolf

    values = np.asarray(values, np.float64)
    classes, place = np.unique(targets, return_inverse=True)
    means = np.stack([values[place == index].mean(axis=0) for index in range(len(classes))])
    residuals = values - means[place]
    covariance = LedoitWolf(assume_centered=True, store_precision=False).fit(residuals).covariance_
    # What never varies among the training images must not make every other image infinitely far.
    floor = max(np.trace(covariance) / len(covariance), 1e-12) * 1e-6
    precision = np.linalg.inv(covariance + floor * np.eye(len(covariance)))
    reference = Reference(means=means, precision=(precision + precision.T) / 2, bound=1.0)
    distances = np.sort(reference.distances(ordinary))
    rank = min(math.ceil((len(distances) + 1) * (1 - flagged)), len(distances))
    bound = max(float(distances[rank - 1]), 1e-6)  # 0 where all images are the same
    return Reference(means=reference.means, precision=reference.precision, bound=bound)


def exceeded(ratios: Mapping[str, np.ndarray]) -> np.ndarray:
    """Whether an image is unlike by any measure, bool (n,), from the ``ratios`` (n,) of each."""
    return np.asarray(np.any(np.stack([*ratios.values()]) > 1, axis=0))
