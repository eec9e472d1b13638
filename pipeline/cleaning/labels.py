"""Labels that out-of-fold scores contradict, with a second opinion where a label is precious.

Confident learning (Northcutt et al. 2021) as cleanlab's filter ``both`` does it: of an image both
the count of false labels of its class and the calibrated confidence in another must say so.
"""

from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np

from raresight.pipeline.runtime.errors import DeviceError

_RARE = 0.3  # of the median class's images, below which a class is rare
_SURE = 0.7  # a balanced score of a rare class from which on an image may be a hidden one
_NEIGHBORS = 10


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is known of n images of K classes.

    ``targets`` int (n,) are their labels, ``scores`` float (n, K) out-of-fold probabilities at the
    classes' own shares, each row summing to 1; ``votes`` float (n, K) are those of the nearest
    neighbors, in which each class counts alike; ``rare`` bool (K,) are the rare classes.
    """

    targets: np.ndarray
    scores: np.ndarray
    votes: np.ndarray
    rare: np.ndarray

    @property
    def balanced(self) -> np.ndarray:
        """The scores as they would be were all classes as frequent, float (n, K)."""
        counts = np.bincount(self.targets, minlength=self.scores.shape[1])
        found = self.scores / np.maximum(counts, 1)
        result: np.ndarray = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12)
        return result


@dataclass(frozen=True, kw_only=True)
class LabelFaults:
    """Of n images: ``wrong`` bool (n,), whether the label looks false; ``hidden`` bool (n,),
    whether it looks like a rare class and is labelled a frequent one; ``suggested`` int (n,), the
    class that it looks like; ``score`` float (n,), 1 minus the probability of its label."""

    wrong: np.ndarray
    hidden: np.ndarray
    suggested: np.ndarray
    score: np.ndarray

    def among(self, which: np.ndarray) -> "LabelFaults":
        """The same with no fault but in ``which``, bool (n,)."""
        return replace(self, wrong=self.wrong & which, hidden=self.hidden & which)


def require_cleanlab() -> None:
    """DeviceError, with the line that installs it, where the library is not there."""
    if find_spec("cleanlab") is None:
        raise DeviceError("clean.labels needs cleanlab: pip install 'raresight[clean]'")


def rare_classes(counts: np.ndarray, positive: int | None) -> np.ndarray:
    """The positive class and those with less than 0.3 of the median class's images, bool (K,)."""
    rare: np.ndarray = counts < _RARE * np.median(counts)
    if positive is not None:
        rare[positive] = True
    return rare


def neighbor_votes(
    features: np.ndarray, known: np.ndarray, targets: np.ndarray, classes: int
) -> np.ndarray:
    """Class-balanced votes, float (m, K), of the ten nearest of n ``known`` images.

    ``features`` is float (m, D), ``known`` float (n, D), ``targets`` int (n,). A class counts by
    its share of the vote over its share of the known images, so that a rare one is heard.
    """
    from sklearn.neighbors import NearestNeighbors

    asked = min(_NEIGHBORS, len(known))
    search = NearestNeighbors(n_neighbors=asked, n_jobs=1).fit(known)
    nearest = targets[search.kneighbors(features, return_distance=False)]  # (m, neighbors)
    votes = np.stack([(nearest == k).sum(axis=1) for k in range(classes)], axis=1)
    votes = votes / np.maximum(np.bincount(targets, minlength=classes), 1)
    result: np.ndarray = votes / votes.sum(axis=1, keepdims=True)
    return result


def label_faults(judged: Judged, *, second_opinion: str) -> LabelFaults:
    """Labels that look false; ``second_opinion`` (rare, all, none) says for which classes the
    neighbors must contradict, too."""
    targets, balanced = judged.targets, judged.balanced
    rows, chance = np.arange(len(targets)), 1 / judged.scores.shape[1]
    wrong = confident_faults(targets, judged.scores)
    contradicted = judged.votes[rows, targets] < chance
    needed = {"rare": judged.rare[targets], "all": True, "none": False}[second_opinion]
    wrong &= contradicted | ~np.broadcast_to(needed, wrong.shape)
    # What a frequent label may hide is weighed at even shares: at its own a rare class never wins.
    looks = balanced.argmax(axis=1)
    heard = judged.votes[rows, looks] > chance
    hidden = judged.rare[looks] & ~judged.rare[targets] & (balanced.max(axis=1) > _SURE) & heard
    others = judged.scores.copy()
    others[rows, targets] = -1
    return LabelFaults(
        wrong=wrong,
        hidden=hidden,
        suggested=np.where(hidden, looks, others.argmax(axis=1)),
        score=1 - judged.scores[rows, targets],
    )


def too_many(wrong: np.ndarray, targets: np.ndarray, most: float) -> np.ndarray:
    """Whether an image's class has a larger share than ``most`` of labels that look ``wrong`` bool
    (n,): it is rather the net that does not know the class. Bool (n,)."""
    shares = np.bincount(targets, wrong) / np.maximum(np.bincount(targets), 1)
    result: np.ndarray = shares[targets] > most
    return result


def confident_faults(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """What cleanlab's ``both`` finds, bool (n,), of labels int (n,) and scores float (n, K)."""
    from cleanlab.filter import find_label_issues

    # It takes classes for numbers without gaps, and fails where one has no image.
    present, numbers = np.unique(targets, return_inverse=True)
    if len(present) < 2:
        return np.zeros(len(targets), bool)
    shown = scores[:, present]
    shown = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1e-12)
    found: np.ndarray = find_label_issues(numbers, shown, filter_by="both", n_jobs=1)
    return found
