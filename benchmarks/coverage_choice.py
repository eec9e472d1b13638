"""The simulated sets of :mod:`benchmarks.coverage` in which the threshold is chosen, too.

The truth is what the rule gives on average over validation sets of that size: the intervals at the
threshold that was chosen (the other method) know nothing of the others.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from benchmarks.coverage_tasks import SETTINGS, TASK, Case
from raresight.pipeline.evaluation.assessment import assess
from raresight.pipeline.evaluation.decisions.calibrate_and_threshold import chosen_again
from raresight.pipeline.evaluation.decisions.predictions import predict_labels
from raresight.pipeline.evaluation.decisions.threshold_choice import with_threshold_choice
from raresight.pipeline.evaluation.decisions.thresholds import choose
from raresight.pipeline.evaluation.params import MaxF1

SKILL, NEGATIVES, TEST = 3.0, 400, (100, 2000)  # of the test set: positives, negatives
_DRAWN = 400  # validation sets that the truth is the mean over
_RULE = MaxF1()


def threshold_choice() -> Iterator[tuple[str, Callable[[np.random.Generator], Case]]]:
    """3 to 100 positives in validation, 100 in the test set."""
    for positives in (3, 10, 30, 100):
        yield f"{positives} positives in validation", _chosen(positives)


def _chosen(positives: int) -> Callable[[np.random.Generator], Case]:
    targets = np.repeat([0, 1], [NEGATIVES, positives])

    @cache
    def truth() -> Mapping[str, float]:
        rng = np.random.default_rng(positives)
        found = [_truth(_choose(_scores(rng, targets), targets)) for _ in range(_DRAWN)]
        return {name: float(np.mean([one[name] for one in found])) for name in found[0]}

    def draw(rng: np.random.Generator) -> Case:
        val, test = _scores(rng, targets), np.repeat([1, 0], TEST)
        outcome = predict_labels(TASK, test, _scores(rng, test), threshold=_choose(val, targets))
        given = assess(outcome, settings=SETTINGS, rng=rng).overall
        again = chosen_again(
            _RULE, val, targets, TASK, groups=None, resamples=SETTINGS.num_for_moments, rng=rng
        )
        ours = with_threshold_choice(outcome, given, again, settings=SETTINGS, rng=rng)
        return {
            name: (value, ours[name].interval, given[name].interval)
            for name, value in truth().items()
        }

    return draw


def _choose(scores: np.ndarray, targets: np.ndarray) -> float:
    return choose(_RULE, scores[:, 1], targets == 1).value


def _scores(rng: np.random.Generator, targets: np.ndarray) -> np.ndarray:
    """Logits are N(0, 1), and N(SKILL, 1) of positives."""
    score = expit(rng.normal(size=len(targets)) + SKILL * targets)
    return np.stack([1 - score, score], axis=1)


def _truth(threshold: float) -> dict[str, float]:
    """What a threshold is worth on sets like the test set."""
    logit = np.log(threshold) - np.log1p(-threshold)
    positives, negatives = TEST
    found, false = positives * norm.sf(logit - SKILL), negatives * norm.sf(logit)
    return {
        "recall": float(found / positives),
        "precision": float(found / (found + false)),
        "f1": float(2 * found / (positives + found + false)),
    }
