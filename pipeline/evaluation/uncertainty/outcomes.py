"""How many independent rows the answers on one set are worth, metric by metric."""

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.metric import Metric
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.evaluation.uncertainty.effective import (
    FEWEST_GROUPS,
    Counts,
    effective_counts,
    effective_proportion,
    has_groups,
)

# Images, and the successes and trials they are worth; None where they are of one group alone.
Worth = tuple[int, Counts | None]


def groups_of(outcome: Predictions) -> np.ndarray | None:
    """The groups, int (n,); None where no two rows are of one."""
    return outcome.groups if has_groups(outcome.groups) else None


def worth_of(metric: Metric, outcome: Predictions, index: int | None) -> Worth:
    """What a proportion rests on: one of the class ``index``, or one of the set."""
    if metric.of_scores is not None:
        correct = metric.of_scores(outcome.targets, outcome.scores)
        every = np.ones(len(correct), bool)
        return len(correct), effective_proportion(correct, every, groups_of(outcome))
    if index is None:
        index = outcome.task.positive_index
    return _worth(metric, _by_group(outcome, index))[-1]


def worth_of_each(metric: Metric, outcome: Predictions) -> list[Worth]:
    """What a mean of proportions rests on: of each class, or of the positive one and the rest."""
    positive = outcome.task.positive_index
    if positive is not None:
        return _worth(metric, _by_group(outcome, positive))
    places = range(len(outcome.task.classes))
    return [_worth(metric, _by_group(outcome, place))[1] for place in places]


def worth_of_classes(outcome: Predictions) -> np.ndarray:
    """How many independent images of each class there are, float (K,)."""
    support: np.ndarray = outcome.confusion.sum(-1).astype(float)
    if groups_of(outcome) is None:
        return support
    right = outcome.targets == outcome.predicted
    for place in np.flatnonzero(support):
        counts = effective_proportion(right, outcome.targets == place, outcome.groups)
        support[place] = 1.0 if counts is None else counts[1]
    return support


def worth_of_kinds(outcome: Predictions) -> list[Worth]:
    """What the specificity and the recall of the positive class rest on."""
    positive = outcome.task.positive_index
    assert positive is not None  # there are two kinds
    return _worth(METRICS["recall"], _by_group(outcome, positive))


def of_one_group(outcome: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """How many images of each class, and of all others, are of one group alone, int (K,) each.

    0 where they are of several, or where there is one image only.
    """
    size, groups = len(outcome.task.classes), groups_of(outcome)
    if groups is None:
        return np.zeros(size, int), np.zeros(size, int)
    pairs = np.unique(groups * size + outcome.targets)
    classes_in = np.bincount(pairs // size)
    alone = np.bincount(pairs % size, weights=classes_in[pairs // size] == 1, minlength=size)
    found = []
    for held, images in (
        (np.bincount(pairs % size, minlength=size), outcome.confusion.sum(-1)),
        (np.count_nonzero(classes_in) - alone, len(groups) - outcome.confusion.sum(-1)),
    ):
        found.append(np.where((held < FEWEST_GROUPS) & (images > 1), images, 0))
    return found[0], found[1]


def _worth(metric: Metric, counts: np.ndarray) -> list[Worth]:
    """Of the rest and of the class, or of the set, from counts (G, 2, 2) of every group."""
    assert metric.parts is not None  # its family is about proportions
    successes, trials = (part.reshape(len(counts), -1) for part in metric.parts(counts))
    if len(counts) == 1:  # no groups, but all there is
        return [
            (int(n), (float(k), float(n))) for k, n in zip(successes[0], trials[0], strict=True)
        ]
    return [
        (int(trials[:, place].sum()), effective_counts(successes[:, place], trials[:, place]))
        for place in range(successes.shape[1])
    ]


def _by_group(outcome: Predictions, index: int | None) -> np.ndarray:
    """Counts (G, 2, 2) of every group, the class ``index`` being the second; G is 1 without groups.

    Without an index a right answer is the second, whatever the class.
    """
    if index is None:
        actual = np.ones(len(outcome.targets), bool)
        predicted = outcome.targets == outcome.predicted
    else:
        actual, predicted = outcome.targets == index, outcome.predicted == index
    groups = groups_of(outcome)
    cells, size = 2 * actual + predicted, 1
    if groups is not None:
        cells, size = 4 * groups + cells, int(groups.max()) + 1
    return np.bincount(cells, minlength=4 * size).reshape(size, 2, 2)
