"""Outliers: one plain rule a kind, since no one detector finds all kinds.

What is unlike all others is asked class by class: to a detector that knows no classes, a rare class
is odd for being rare.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

BLANK, BURNT, UNLIKE = "blank", "over-exposed", "unlike its class"
_FLAT = 8.0  # deviation of all pixel values below which there is nothing to see
_WHITE, _WHITE_SHARE = 250, 0.1
_TYPICAL = 5  # times what a class's own images usually differ by
_COMPONENTS = 32
_ODD = 3.0  # modified z-score (Iglewicz and Hoaglin 1993)
_KEPT = 0.9  # of the images, the least odd, that say what is usual


def _is_blank(image: np.ndarray) -> bool:
    return bool(image.std() < _FLAT)


def _is_over_exposed(image: np.ndarray) -> bool:
    return bool((image >= _WHITE).mean() > _WHITE_SHARE)


NOTHING_TO_SEE = (BLANK, BURNT)  # whatever such an image shows, its label is not in question
RULES: Mapping[str, Callable[[np.ndarray], bool]] = {BLANK: _is_blank, BURNT: _is_over_exposed}


def by_rule(images: Iterable[np.ndarray], targets: np.ndarray) -> dict[str, np.ndarray]:
    """Whether each of n images, uint8 (H, W, C), breaks a rule: bool (n,) by the rule's name.

    What most images of a class are is how they are taken, and no outlier there: white paper is not
    over-exposed.
    """
    broken = [[rule(image) for rule in RULES.values()] for image in images]
    table = np.array(broken, bool).reshape(len(targets), len(RULES))
    for k in np.unique(targets):
        usual = table[targets == k].mean(axis=0) > 1 / _TYPICAL
        table[np.ix_(targets == k, usual)] = False
    return dict(zip(RULES, table.T, strict=True))


def distances(
    features: np.ndarray, targets: np.ndarray, known: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Squared Mahalanobis distance, float (m,), of each image from the middle of its class.

    ``features`` float (m, D) and their ``targets`` int (m,) are asked about, ``known`` float (n, D)
    and ``labels`` int (n,) say what is usual. All classes share one covariance, of what is left
    when each class's median is taken away (Ledoit and Wolf 2004).
    """
    from sklearn.covariance import LedoitWolf
    from sklearn.decomposition import PCA

    components = min(_COMPONENTS, *known.shape)
    pca = PCA(components, svd_solver="covariance_eigh").fit(known)
    base, asked = pca.transform(known), pca.transform(features)
    for k in np.unique(labels):
        middle = np.median(base[labels == k], axis=0)
        base[labels == k] -= middle
        asked[targets == k] -= middle
    found: np.ndarray = LedoitWolf().fit(base).mahalanobis(asked)
    return found


def pixel_distances(statistics: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distance, float (n,), from the middle of each image's class, by what its
    pixels are like: float (n, F), of images that show something.

    A net sees of another kind of image only what it has learned to look for, and finds nothing odd
    about it. Outliers are among those that say what is usual, and would widen it: so it is taken
    once of all, and then of the nine tenths that were nearest.
    """
    from sklearn.covariance import LedoitWolf

    scale = np.maximum(statistics.std(axis=0), 1e-9)
    centered = (statistics - np.median(statistics, axis=0)) / scale
    for k in np.unique(targets):
        centered[targets == k] -= np.median(centered[targets == k], axis=0)
    found: np.ndarray = LedoitWolf().fit(centered).mahalanobis(centered)
    usual = found <= np.quantile(found, _KEPT)
    found = LedoitWolf().fit(centered[usual]).mahalanobis(centered)
    return found


def odd(distance: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Which distances (n,) are far beyond those of the same class: bool (n,).

    By the modified z-score of their logarithm; a class is measured by its own median, and the
    spread is that of all, since few images have none to speak of.
    """
    logs = np.log(np.maximum(distance, 1e-12))
    for k in np.unique(targets):
        logs[targets == k] -= np.median(logs[targets == k])
    spread = 1.4826 * np.median(np.abs(logs))
    result: np.ndarray = logs > _ODD * max(spread, 1e-12)
    return result
