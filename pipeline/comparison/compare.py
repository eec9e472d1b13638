"""Two versions on the same test images: paired differences, metric by metric."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from raresight.pipeline.comparison.measured import Measured, identical, of_models, of_recipes
from raresight.pipeline.comparison.measures import Measure, is_ranked, names
from raresight.pipeline.comparison.verdicts import IDENTICAL, Difference, judge
from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.uncertainty.permutation import FEW_POSITIVES, permutation_tests
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
    """What two versions differ in; the first of ``differences`` is the primary metric's.

    ``mistakes`` are those of the first trainings.
    """

    differences: tuple[Difference, ...]
    mistakes: Mistakes

    @property
    def primary(self) -> Difference:
        """The difference that the verdict on the whole rests on."""
        return self.differences[0]

    @property
    def identical(self) -> bool:
        """Whether both gave the same scores and the same answers, image by image."""
        return all(found.ruling == IDENTICAL for found in self.differences)


def compare(
    old: Side,
    new: Side,
    groups: np.ndarray,
    *,
    settings: IntervalSettings,
    rng: np.random.Generator,
    primary: str | None = None,
    same_models: bool = False,
) -> Comparison:
    """Compare answers about the same rows in the same order; what is above 0 favours ``new``.

    ``groups`` is int (n,), equal for rows of one group. ``primary`` names the metric that the
    verdict rests on, the registry's where it is None. The verdicts are about the recipes where
    both were trained several times; else about the first model of each. With ``same_models`` both
    decide about the scores of the same trainings, so that no seed comes between them.
    """
    confidence = settings.confidence_level
    once = min(len(old.outcomes), len(new.outcomes)) == 1
    measures = [side.measures[: 1 if once else None] for side in (old, new)]
    values = [[_observed(measure) for measure in side] for side in measures]
    drawn = _resampled(measures, groups, resamples=settings.num_bootstrap, rng=rng)
    mistakes = count_mistakes(old.outcomes[0], new.outcomes[0])
    same = _Same.of(old, new)
    exact = _exact_tests(old.outcomes[0], new.outcomes[0], groups, mistakes, rng=rng)

    def measured(name: str) -> Measured:
        observed = [np.array([value[name] for value in side]) for side in values]
        if same.in_metric(name):
            return identical(name, float(observed[0].mean()))
        if not once:
            return of_recipes(
                name, observed, drawn[name], confidence=confidence, paired=same_models
            )
        shifts = (drawn[name][1] - drawn[name][0])[:, 0]
        before, after = (float(values[0]) for values in observed)
        found = of_models(name, before, after, shifts, confidence=confidence)
        return _held_to(found, *exact[name]) if name in exact else found

    found = [measured(name) for name in names(old.outcomes[0].task, primary=primary)]
    differences = judge(found, confidence=confidence, single=once and not same_models)
    return Comparison(differences=differences, mistakes=mistakes)


@dataclass(frozen=True, kw_only=True)
class _Same:
    """Whether two versions gave the same scores, and the same answers whatever the threshold."""

    scores: bool
    answers: bool

    @classmethod
    def of(cls, old: Side, new: Side) -> "_Same":
        if len(old.outcomes) != len(new.outcomes):
            return cls(scores=False, answers=False)
        pairs = list(zip(old.outcomes, new.outcomes, strict=True))
        return cls(
            scores=all(np.array_equal(a.scores, b.scores) for a, b in pairs),
            answers=all(np.array_equal(a.predicted, b.predicted) for a, b in pairs)
            and _equal_thresholds(old.thresholds, new.thresholds),
        )

    def in_metric(self, name: str) -> bool:
        return self.scores if is_ranked(name) else self.answers


def _equal_thresholds(
    old: tuple[np.ndarray, ...] | None, new: tuple[np.ndarray, ...] | None
) -> bool:
    if old is None or new is None:
        return old is new
    return all(np.array_equal(a, b) for a, b in zip(old, new, strict=True))


def _exact_tests(
    old: Predictions,
    new: Predictions,
    groups: np.ndarray,
    mistakes: Mistakes,
    *,
    rng: np.random.Generator,
) -> dict[str, tuple[float, str]]:
    """What a metric has to pass besides its interval: a p-value, and the name of its test.

    The accuracy where images are independent; the metrics of the ranking where positives are so few
    that a bootstrap's interval is too narrow.
    """
    tests = {}
    if len(np.unique(groups)) == len(groups):
        tests["accuracy"] = (mistakes.p_value, "McNemar's exact test")
    positive = old.task.positive_index
    if positive is not None and len(np.unique(groups[old.targets == positive])) < FEW_POSITIVES:
        found = permutation_tests(old, new, groups, rng=rng)
        tests |= {name: (p, "a permutation test") for name, p in found.items()}
    return tests


def _held_to(found: Measured, p_value: float, test: str) -> Measured:
    if found.p is None or p_value <= found.p:
        return found
    return replace(found, p=p_value, reason=f"{test} does not confirm it")


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
