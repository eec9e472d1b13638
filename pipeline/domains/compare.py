"""Drawn images that teach and real ones that judge: which of their ranges do not meet.

A model learns only what it is shown. Where what is drawn fills the frame and what is real has a
margin, a test on drawn images sees nothing of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.dataset.schema import FACTOR
from raresight.pipeline.domains.measures import MEASURES, measure, small, spectrum

MOST = 400  # images of each kind that are looked at
FEWEST = 20  # of each kind: fewer say nothing of a range
OUTSIDE = 0.25  # of the real images: so many beyond nearly all drawn ones are no chance
_NEARLY_ALL = (0.01, 0.99)  # quantiles of the drawn images
_SHOWN = (0.05, 0.5, 0.95)
_MOVES = 0.5  # the rank correlation of a factor with what it moves
_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The factor of the drawn images that moves a measure most: rank correlation, range drawn."""

    name: str
    correlation: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A measure among drawn and among real images: their 5, 50 and 95 % quantiles.

    ``outside`` is the share of the real ones that lie beyond 98 % of the drawn ones.
    """

    drawn: tuple[float, ...]
    real: tuple[float, ...]
    outside: float
    factor: Moved | None = None

    @property
    def is_off(self) -> bool:
        return self.outside > OUTSIDE


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How unlike drawn and real images are.

    ``told_apart`` is the area under the ROC curve of a linear probe that tells real from drawn
    images, out of fold: 0.5 where they cannot be told. ``judged_on`` are the splits that the real
    ones are of.
    """

    drawn_images: int
    real_images: int
    judged_on: Sequence[str]
    told_apart: float
    measures: Mapping[str, Difference]

    @property
    def off(self) -> list[str]:
        """The measures whose ranges do not meet, the worst first."""
        worst = sorted(self.measures, key=lambda name: -self.measures[name].outside)
        return [name for name in worst if self.measures[name].is_off]

    def as_json(self) -> dict[str, Any]:
        """As summary.json has it."""
        return {**asdict(self), "off": self.off}


def compare_domains(data: Dataset, splits: np.ndarray) -> Comparison | None:
    """Compare the drawn originals of train with real ones of ``splits``, str (n,).

    Those of test are left alone where there are others: what is drawn would be fitted to them.
    None where no drawn image teaches or no real one judges, or where there are too few to tell.
    The classes that both have are compared alike.
    """
    real, train = data.origins == "real", splits == "train"
    if not (real & np.isin(splits, ("val", "test"))).any() or not (~real & train).any():
        return None
    seen = real & np.isin(splits, ("train", "val"))
    if seen.sum() < FEWEST:
        seen = real & np.isin(splits, ("train", "val", "test"))
    drawn, known = _alike(data.targets, ~real & train, seen)
    if min(len(drawn), len(known)) < FEWEST:
        return None
    values = [_values(data, rows) for rows in (drawn, known)]
    first, second = (found[:, : len(MEASURES)] for found in values)
    factors = _factors(data, drawn)
    return Comparison(
        drawn_images=len(drawn),
        real_images=len(known),
        judged_on=[name for name in ("train", "val", "test") if (splits[known] == name).any()],
        told_apart=_told_apart(*values),
        measures={
            name: difference(first[:, k], second[:, k], factors) for k, name in enumerate(MEASURES)
        },
    )


def _alike(
    targets: np.ndarray, drawn: np.ndarray, real: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both kinds, evenly spaced and of each class as many: at most MOST of each."""
    classes = np.intersect1d(targets[drawn], targets[real])
    both: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for label in classes:
        rows = [np.flatnonzero(kind & (targets == label)) for kind in (drawn, real)]
        count = min(*map(len, rows), -(-MOST // len(classes)))
        for found, some in zip(both, rows, strict=True):
            found.append(some[np.linspace(0, len(some) - 1, count).astype(int)])
    nothing = np.zeros(0, int)
    first, second = (np.concatenate([nothing, *found]) for found in both)
    return first, second


def _values(data: Dataset, rows: np.ndarray) -> np.ndarray:
    images = [small(data.images[row]) for row in rows.tolist()]
    return np.hstack((measure(images), spectrum(images)))


def difference(
    drawn: np.ndarray, real: np.ndarray, factors: Mapping[str, np.ndarray]
) -> Difference:
    """A measure's values (n,) among drawn and (m,) among real images, and what moves it.

    ``factors`` are numbers of the drawn images, float (n,) each.
    """
    low, high = np.quantile(drawn, _NEARLY_ALL)
    slack = 1e-6 + 0.02 * float(np.ptp(np.concatenate((drawn, real))))  # of pixels, of rounding
    outside = float(((real < low - slack) | (real > high + slack)).mean())
    return Difference(
        drawn=tuple(np.quantile(drawn, _SHOWN).tolist()),
        real=tuple(np.quantile(real, _SHOWN).tolist()),
        outside=outside,
        factor=_moves(drawn, factors) if outside > OUTSIDE else None,
    )


def _moves(values: np.ndarray, factors: Mapping[str, np.ndarray]) -> Moved | None:
    from scipy.stats import spearmanr

    found = []
    for name, factor in factors.items():
        known = np.isfinite(factor)
        if known.sum() < FEWEST or not np.ptp(factor[known]) or not np.ptp(values[known]):
            continue
        correlation = float(spearmanr(values[known], factor[known]).statistic)
        low, high = float(factor[known].min()), float(factor[known].max())
        found.append(Moved(name=name, correlation=correlation, low=low, high=high))
    best = max(found, key=lambda one: abs(one.correlation), default=None)
    return best if best is not None and abs(best.correlation) >= _MOVES else None


def _factors(data: Dataset, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The numbers that the images were drawn by."""
    return {
        name: np.array(data.column(f"{FACTOR}{name}", rows), float)
        for name, kind in data.description.factors.items()
        if kind == "float"
    }


def _told_apart(drawn: np.ndarray, real: np.ndarray) -> float:
    """Out of fold, by a logistic regression on measures and spectrum."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = np.vstack((drawn, real))
    truth = np.repeat([0, 1], [len(drawn), len(real)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    # Rows are in the order of their classes, and neighbors are alike: folds take every fifth.
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features, truth, cv=folds, method="decision_function")
    return float(roc_auc_score(truth, scores))
