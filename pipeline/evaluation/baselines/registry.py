"""The fitted baselines, by the name of their row in results.json. A new one is an entry here."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.evaluation.baselines import shortcut, texture
from raresight.pipeline.evaluation.baselines.fitting import Images, Scores

_SCORED_AT_ONCE = 8192  # images


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One baseline that is fitted on training originals.

    ``label`` is its name in a text, ``about`` what it is, in a sentence that begins with it.
    ``features`` takes images and rows and gives float (n, F), which ``fit`` takes with class
    indices (n,) and ``num_classes``. ``max_images`` is the number of images that it is fitted on at
    most. ``stream`` is what its random streams are called.
    """

    label: str
    about: str
    features: Callable[[Images, np.ndarray], np.ndarray]
    fit: Callable[..., Scores]
    max_images: int
    stream: str

    def scores(
        self,
        images: Images,
        rows: Mapping[str, np.ndarray],
        targets: np.ndarray,
        *,
        num_classes: int,
        seed: int,
        folds: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Scores (n, K) of ``val`` and ``test``, fitted on ``train``.

        ``rows`` are the row numbers in ``images`` of each of the three sets, and ``targets`` (m,)
        the classes of those of ``train``. ``seed`` chooses the training images where there are
        more than ``max_images``. ``folds``, int (n,), is the fold of each row of ``val`` where
        those are of ``train``, too: a row is then scored by a fit without its fold.
        """
        fit = partial(self._fitted, images, num_classes=num_classes, seed=seed)
        scores = fit(rows["train"], targets)
        found = {"test": scores(rows["test"])}
        if folds is None:
            return {"val": scores(rows["val"])} | found
        found["val"] = np.empty((len(folds), num_classes))
        for fold in np.unique(folds):
            held = rows["val"][folds == fold]
            kept = ~np.isin(rows["train"], held)
            found["val"][folds == fold] = fit(rows["train"][kept], targets[kept])(held)
        return found

    def _fitted(
        self, images: Images, rows: np.ndarray, targets: np.ndarray, *, num_classes: int, seed: int
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Row numbers in ``images`` -> scores (n, K), fitted on ``rows`` with ``targets``, (m,)."""
        rng = seeds.rng(seed, "evaluate", f"{self.stream} images")
        kept = evened(targets, self.max_images, rng)
        scores = self.fit(self.features(images, rows[kept]), targets[kept], num_classes=num_classes)
        # Fewer images of the frequent classes: the scores are put back to their shares.
        counts, fitted = (np.bincount(of, minlength=num_classes) for of in (targets, targets[kept]))
        weights = counts / np.maximum(fitted, 1)

        def scored(some: np.ndarray) -> np.ndarray:
            weighted = scores(self.features(images, some)) * weights
            return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))

        def in_parts(some: np.ndarray) -> np.ndarray:  # features take more than scores
            starts = range(0, max(1, len(some)), _SCORED_AT_ONCE)
            return np.concatenate([scored(some[at : at + _SCORED_AT_ONCE]) for at in starts])

        return in_parts


def evened(targets: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """At most about ``most`` places in ``targets`` (n,), in order: the largest classes give way.

    All classes keep what they have up to one limit, the highest that the sum allows, so that
    images are taken from the frequent classes alone, at random.
    """
    counts = np.bincount(targets)
    if len(targets) <= most:
        return np.arange(len(targets))
    limits = range(1, int(counts.max()) + 1)
    fitting = bisect_right(limits, most, key=lambda limit: int(np.minimum(counts, limit).sum()))
    limit = max(1, fitting)
    order = rng.permutation(len(targets))
    parts = [order[targets[order] == index][:limit] for index in range(len(counts))]
    return np.sort(np.concatenate(parts))


BASELINES: dict[str, Baseline] = {
    "shortcut_baseline": Baseline(
        label="shortcut baseline",
        about="is a logistic regression on a color histogram and an 8x8 thumbnail",
        features=shortcut.shortcut_features,
        fit=shortcut.fit_shortcut,
        max_images=shortcut.MOST_IMAGES,
        stream="shortcut",  # as it was first called: no interval moves for a word
    ),
    "texture_baseline": Baseline(
        label="texture baseline",
        about="is gradient boosting on local statistics (lightness, roughness and edges, wherever "
        "they are)",
        features=texture.texture_features,
        fit=texture.fit_texture,
        max_images=texture.MOST_IMAGES,
        stream="texture_baseline",
    ),
}


def stream(name: str) -> str:
    """What the random streams of the entry ``name`` of results.json are called."""
    return BASELINES[name].stream if name in BASELINES else name
