"""Are made images fit to be learned from? Each check says what a careless generator would betray.

Frechet distance and precision are left out on purpose: they rank plain copies above every generator
that helped.
"""

from dataclasses import dataclass

import numpy as np

FEW = 30  # held-out positives, below which neighbors say nothing
_FOLDS, _NEAREST = 5, 3


def told_apart(first: np.ndarray, second: np.ndarray, *, seed: int) -> float | None:
    """How well a logistic regression tells two sets of statistics apart: the area under the ROC
    curve of out-of-fold scores, 0.5 by chance; None where either has fewer than 30 images."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if min(len(first), len(second)) < FEW:
        return None
    values = np.concatenate((first, second))
    which = np.repeat([0, 1], [len(first), len(second)])
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.05, max_iter=500, class_weight="balanced")
    )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    found = cross_val_predict(model, values, which, cv=folds, method="decision_function")
    return float(roc_auc_score(which, found))


@dataclass(frozen=True, kw_only=True)
class Neighbors:
    """How made images lie among real ones.

    ``memorized`` is the share of them that is nearer to a training image than all but 1 % of
    held-out ones are (0.01 by chance); ``coverage`` the share of held-out images with a made one
    among what lies as near as their third neighbor (Naeem et al. 2020); ``recall`` the share that
    lies as near to a made one as its third neighbor (Kynkaanniemi et al. 2019).
    ``coverage_of_real`` is that of the training images themselves, to compare with.
    """

    memorized: float
    coverage: float
    coverage_of_real: float
    recall: float


def neighbors(made: np.ndarray, learned: np.ndarray, held: np.ndarray) -> Neighbors | None:
    """Of standardized vectors, float (n, F) each; None where fewer than 30 are held out."""
    from sklearn.neighbors import NearestNeighbors

    if len(held) < FEW or len(made) <= _NEAREST or not len(learned):
        return None
    near = NearestNeighbors(n_neighbors=1).fit(learned)
    to_learned, usual = near.kneighbors(made)[0][:, 0], near.kneighbors(held)[0][:, 0]
    # Each point's own radius: the distance of its third neighbor of its own kind.
    radius = {
        name: NearestNeighbors(n_neighbors=_NEAREST + 1).fit(of).kneighbors(of)[0][:, -1]
        for name, of in (("held", held), ("made", made))
    }
    apart, beside = (np.linalg.norm(held[:, None] - of[None], axis=2) for of in (made, learned))
    return Neighbors(
        memorized=float((to_learned < np.quantile(usual, 0.01)).mean()),
        coverage=float((apart.min(axis=1) <= radius["held"]).mean()),
        coverage_of_real=float((beside.min(axis=1) <= radius["held"]).mean()),
        recall=float((apart <= radius["made"][None]).any(axis=1).mean()),
    )


def standardized(reference: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Each set by the mean and deviation of ``reference``."""
    mean, std = reference.mean(axis=0), reference.std(axis=0) + 1e-6
    return [(one - mean) / std for one in (reference, *others)]
