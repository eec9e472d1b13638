"""What mistakes cost: for choosing the threshold by it, or each answer."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.params import LowestCost, ThresholdRule
from raresight.pipeline.runtime.errors import suggest

Decision = Callable[[np.ndarray], np.ndarray]  # scores (n, K) -> classes, int (n,)


@dataclass(frozen=True, kw_only=True)
class RowCosts:
    """What each row adds to the cost an image, float (n, 2): predicted negative, and positive.

    A mistake that must never happen adds ``never``, which is more than all others together.
    """

    values: np.ndarray
    never: float


def row_costs(
    rule: ThresholdRule, task: Task, scores: np.ndarray, targets: np.ndarray
) -> RowCosts | None:
    """The costs of the rows of ``scores`` (n, K) and ``targets`` (n,); None for other rules.

    A row predicted negative is taken for the best of the other classes. Rows are weighted to the
    rule's prevalence.
    """
    if not isinstance(rule, LowestCost):
        return None
    index, rows = task.positive_index, np.arange(len(targets))
    costs = mistake_costs(rule, task.classes)[targets]
    predicted = np.stack([costs[rows, task.best_other(scores)], costs[:, index]], axis=1)
    positive = targets == index
    share = positive.mean() if rule.prevalence is None else rule.prevalence
    weight = np.where(
        positive, share / max(positive.sum(), 1), (1 - share) / max((~positive).sum(), 1)
    )
    finite = np.where(np.isinf(predicted), 0, predicted) * weight[:, None]
    never = float(finite.max(axis=1).sum()) + 1
    return RowCosts(values=np.where(np.isinf(predicted), never, finite), never=never)


def mistake_costs(rule: LowestCost, classes: tuple[str, ...]) -> np.ndarray:
    """What predicting one class for another costs, float (K, K), actual by predicted."""
    costs = 1 - np.eye(len(classes))
    for actual, by_predicted in rule.costs.items():
        for label, cost in by_predicted.items():
            place = classes.index(actual), classes.index(label)
            costs[place] = math.inf if cost == "never" else cost
    return costs


def cheapest(probabilities: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The class with the least expected cost of each row, int (n,).

    ``probabilities`` is (n, K), ``costs`` (K, K), actual by predicted. Among equally cheap classes
    the most probable one: with costs of 1 for every mistake it is the most probable one always.
    Elkan (2001), https://dl.acm.org/doi/10.5555/1642194.1642224, formula (1).
    """
    expected = probabilities @ costs
    least = expected <= expected.min(axis=1, keepdims=True) + 1e-12
    return np.asarray(np.where(least, probabilities, -1.0).argmax(axis=1))


def decision(
    rule: ThresholdRule,
    task: Task,
    *,
    threshold: float | None,
    probabilities: Callable[[np.ndarray], np.ndarray],
) -> Decision:
    """How scores (n, K) become answers, int (n,).

    With a positive class by the ``threshold``; without one the most probable class or, where the
    rule has costs, the cheapest one, of calibrated ``probabilities`` (n, K) of the scores.
    """
    if task.positive is None and isinstance(rule, LowestCost):
        costs = mistake_costs(rule, task.classes)
        return lambda scores: cheapest(probabilities(scores), costs)
    return lambda scores: task.decide(scores, threshold=threshold)


def cost_problems(rule: ThresholdRule, task: Task) -> Iterator[str]:
    """What costs say of classes that are not there, or that cannot be; each with its key."""
    if not isinstance(rule, LowestCost):
        return
    problems = [
        (f"costs.{actual}", f"no class '{label}'. {suggest(label, task.classes)}")
        for actual, by_predicted in rule.costs.items()
        for label in {actual: None, **by_predicted}
        if label not in task.classes
    ]
    if not problems and task.positive is None:
        problems = list(_contradictions(rule, task.classes))
    for key, problem in problems:
        yield f"evaluate.threshold.{key}: {problem}"


def _contradictions(rule: LowestCost, classes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What would make no sense without a positive class."""
    if rule.prevalence is not None:
        yield "prevalence", "no class is the positive one (generate.positive), so whose?"
    for actual, by_predicted in rule.costs.items():
        for label in (label for label, cost in by_predicted.items() if cost == "never"):
            yield (
                f"costs.{actual}.{label}",
                f"'never' would keep every image from being predicted '{label}', as none is surely "
                f"no '{actual}': give a number, e.g. 1000",
            )
    costs = mistake_costs(rule, classes)
    for index, label in enumerate(classes):
        for other in np.flatnonzero((costs <= costs[:, [index]]).all(axis=0)):
            if other != index and (costs[:, other] < costs[:, index]).any():
                yield (
                    f"costs.{label}",
                    f"predicting '{classes[other]}' for '{label}' is free and '{classes[other]}' "
                    f"never dearer, so nothing would be predicted '{label}'",
                )
                break
