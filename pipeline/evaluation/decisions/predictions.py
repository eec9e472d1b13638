"""What a classifier said about a set of images, and which of its answers count."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from raresight.pipeline.evaluation.metrics.confusion import confusion, one_against_rest
from raresight.pipeline.evaluation.metrics.ranking import Ranking, rank


@dataclass(frozen=True, kw_only=True)
class Task:
    """The classes, sorted, and the one the results are about (None where all matter alike)."""

    classes: tuple[str, ...]
    positive: str | None

    @property
    def positive_index(self) -> int | None:
        return None if self.positive is None else self.classes.index(self.positive)

    @property
    def negative(self) -> str:
        """What an image is called that is not positive."""
        others = [label for label in self.classes if label != self.positive]
        return others[0] if len(others) == 1 else f"not {self.positive}"

    def focus(self, counts: np.ndarray) -> np.ndarray:
        """Counts (..., K, K) as (..., 2, 2), rest then positive; as they are without a positive."""
        if self.positive_index is None:
            return counts
        return one_against_rest(counts, self.positive_index)

    def decide(self, scores: np.ndarray, *, threshold: float | None = None) -> np.ndarray:
        """The class index of each row of ``scores`` (n, K), int64 (n,).

        With a positive class: that class where its score is at least ``threshold``, else the best
        of the others. Without one: the class with the highest score.
        """
        if self.positive_index is None:
            return np.asarray(scores.argmax(axis=1))
        above = scores[:, self.positive_index] >= threshold
        return np.where(above, self.positive_index, self.best_other(scores))

    def best_other(self, scores: np.ndarray) -> np.ndarray:
        """The best class of each row of ``scores`` (n, K) that is not the positive one."""
        others = scores.copy()
        others[:, self.positive_index] = -np.inf
        return np.asarray(others.argmax(axis=1))


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Answers on one set: ``targets`` int (n,), ``scores`` float (n, K), ``predicted`` int (n,).

    ``groups``, int (n,), says which rows belong together; None where each is alone.
    """

    task: Task
    targets: np.ndarray
    scores: np.ndarray
    predicted: np.ndarray
    groups: np.ndarray | None = None

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts (K, K), actual by predicted."""
        return confusion(self.targets, self.predicted, num_classes=len(self.task.classes))

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        """Each class against the rest, by its score."""
        return tuple(
            rank(self.scores[:, index], self.targets == index)
            for index in range(len(self.task.classes))
        )

    @cached_property
    def main_ranking(self) -> Ranking:
        """The positive class's; without one, all classes' pooled (the micro-average)."""
        if self.task.positive_index is not None:
            return self.rankings[self.task.positive_index]
        positive = self.targets[:, None] == np.arange(len(self.task.classes))
        return rank(self.scores.ravel(), positive.ravel())


def predict_labels(
    task: Task,
    targets: np.ndarray,
    scores: np.ndarray,
    *,
    threshold: float | None = None,
    decide: Callable[[np.ndarray], np.ndarray] | None = None,
    groups: np.ndarray | None = None,
) -> Predictions:
    """The outcome of ``scores`` (n, K) decided at ``threshold``, or as ``decide`` does."""
    predicted = task.decide(scores, threshold=threshold) if decide is None else decide(scores)
    return Predictions(
        task=task, targets=targets, scores=scores, predicted=predicted, groups=groups
    )
