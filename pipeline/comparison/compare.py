"""Two versions on the same test images: paired differences, metric by metric."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from raresight.pipeline.comparison.measures import Measure, names
from raresight.pipeline.comparison.verdicts import (
    INCONCLUSIVE,
    Difference,
    of_models,
    of_recipes,
    of_single_trainings,
)
from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.uncertainty.resampling import row_weights
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings


@dataclass(frozen=True, kw_only=True)
class Mistakes:
    """Images that one version gets right and the other wrong, and McNemar's exact p-value.

    ``p_value`` is the chance of so uneven a split, or one more so, if both err equally often.
    """

    fixed: int
    regressed: int
    both: int
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Side:
    """A version's answers about the test images, of each of its trainings.

    ``thresholds`` (T,) of each are those chosen again on resamples of validation; None where the
    decisions need none, or theirs are taken as given.
    """

    outcomes: tuple[Predictions, ...]
    thresholds: tuple[np.ndarray, ...] | None = None

    @property
    def measures(self) -> list[Measure]:
        thresholds = self.thresholds or [None] * len(self.outcomes)
        return [Measure(*pair) for pair in zip(self.outcomes, thresholds, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two versions differ in; the first of ``differences`` is the one the verdict rests on.

    ``mistakes`` are those of the first trainings.
    """

    differences: tuple[Difference, ...]
    mistakes: Mistakes


def compare(
    old: Side,
    new: Side,
    groups: np.ndarray,
    *,
    settings: IntervalSettings,
    rng: np.random.Generator,
    same_models: bool = False,
) -> Comparison:
    """Compare answers about the same rows in the same order; what is above 0 favours ``new``.

    ``groups`` is int (n,), equal for rows of one group. The verdicts are about the recipes where
    both were trained several times; else they are inconclusive, and what the first model of each
    differ in is told beside. With ``same_models`` both decide about the scores of the
    same trainings, so that no seed comes between them.
    """
    confidence = settings.confidence_level
    once = min(len(old.outcomes), len(new.outcomes)) == 1
    measures = [side.measures[: 1 if once else None] for side in (old, new)]
    values = [[_observed(measure) for measure in side] for side in measures]
    drawn = _resampled(measures, groups, resamples=settings.num_bootstrap, rng=rng)
    mistakes = count_mistakes(old.outcomes[0], new.outcomes[0])

    def difference(name: str) -> Difference:
        observed = [np.array([value[name] for value in side]) for side in values]
        if not once:
            return of_recipes(
                name, observed, drawn[name], confidence=confidence, paired=same_models
            )
        shifts = (drawn[name][1] - drawn[name][0])[:, 0]
        before, after = (float(values[0]) for values in observed)
        found = of_models(name, before, after, shifts, confidence=confidence)
        if len(np.unique(groups)) == len(groups):
            found = _held_to_mcnemar(found, mistakes, 1 - confidence)
        return found if same_models else of_single_trainings(found)

    differences = tuple(difference(name) for name in names(old.outcomes[0].task))
    return Comparison(differences=differences, mistakes=mistakes)


def _held_to_mcnemar(found: Difference, mistakes: Mistakes, level: float) -> Difference:
    """The accuracy has an exact test, so where images are independent it has to pass it too."""
    if found.name != "accuracy" or found.verdict == INCONCLUSIVE or mistakes.p_value < level:
        return found
    return replace(found, verdict=INCONCLUSIVE, reason="McNemar's exact test does not confirm it")


def _observed(measure: Measure) -> dict[str, float]:
    once = np.ones((1, len(measure.outcome.targets)), np.float32)
    return {name: float(column[0]) for name, column in measure.values(once).items()}


def _resampled(
    measures: Sequence[Sequence[Measure]],
    groups: np.ndarray,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> dict[str, list[np.ndarray]]:
    """Every metric of both versions' trainings, (R, a) and (R, b): all see the same rows."""
    parts, done = [], 0
    targets = measures[0][0].outcome.targets
    for weights in row_weights(groups, targets, resamples=resamples, rng=rng):
        numbers = np.arange(done, done + len(weights))
        parts.append(
            [
                [measure.values(weights, _cycled(measure, numbers)) for measure in side]
                for side in measures
            ]
        )
        done += len(weights)

    def joined(side: int, name: str) -> np.ndarray:
        return np.concatenate(
            [np.stack([value[name] for value in part[side]], axis=1) for part in parts]
        )

    return {name: [joined(side, name) for side in (0, 1)] for name in parts[0][0][0]}


def _cycled(measure: Measure, numbers: np.ndarray) -> np.ndarray | None:
    return None if measure.thresholds is None else numbers % len(measure.thresholds)


def count_mistakes(old: Predictions, new: Predictions) -> Mistakes:
    """Where the versions disagree with the truth, and the exact test of McNemar (1947).

    https://doi.org/10.1007/BF02295996. Rows of one group count as strangers here.
    """
    from scipy.stats import binomtest

    was_wrong, is_wrong = _wrong(old), _wrong(new)
    fixed, regressed = int((was_wrong & ~is_wrong).sum()), int((is_wrong & ~was_wrong).sum())
    p_value = float(binomtest(fixed, fixed + regressed).pvalue) if fixed + regressed else 1.0
    both = int((was_wrong & is_wrong).sum())
    return Mistakes(fixed=fixed, regressed=regressed, both=both, p_value=p_value)


def _wrong(outcome: Predictions) -> np.ndarray:
    """bool (n,): the wrong answers, as the accuracy counts them."""
    positive = outcome.task.positive_index
    if positive is None:
        return outcome.predicted != outcome.targets
    return (outcome.predicted == positive) != (outcome.targets == positive)
