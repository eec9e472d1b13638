"""What mistakes cost, for choosing the threshold by it."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.outcome import Task
from pipeline.evaluation.params import ThresholdRule


@dataclass(frozen=True, kw_only=True)
class RowCosts:
    """What each row adds to the cost an image, float (n, 2): not called, and called.

    A mistake that must never happen adds ``never``, which is more than all others together.
    """

    values: np.ndarray
    never: float


def row_costs(
    rule: ThresholdRule, task: Task, scores: np.ndarray, targets: np.ndarray
) -> RowCosts | None:
    """The costs of the rows of ``scores`` (n, K) and ``targets`` (n,); None for other rules.

    A row that is not called is taken for the best of the other classes. Rows are weighted to the
    rule's prevalence.
    """
    if rule.rule != "cost":
        return None
    index, rows = task.positive_index, np.arange(len(targets))
    costs = _mistake_costs(rule, task.classes)[targets]
    called = np.stack([costs[rows, task.best_other(scores)], costs[:, index]], axis=1)
    positive = targets == index
    share = positive.mean() if rule.prevalence is None else rule.prevalence
    weight = np.where(
        positive, share / max(positive.sum(), 1), (1 - share) / max((~positive).sum(), 1)
    )
    finite = np.where(np.isinf(called), 0, called) * weight[:, None]
    never = float(finite.max(axis=1).sum()) + 1
    return RowCosts(values=np.where(np.isinf(called), never, finite), never=never)


def _mistake_costs(rule: ThresholdRule, classes: tuple[str, ...]) -> np.ndarray:
    """What calling one class another costs, float (K, K), actual by called."""
    costs = 1 - np.eye(len(classes))
    for actual, called in rule.costs.items():
        for label, cost in called.items():
            place = classes.index(actual), classes.index(label)
            costs[place] = math.inf if cost == "never" else cost
    return costs
