"""What looks at no image: the majority class, and random guesses."""

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions, Task


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
