"""Two versions on the same test images: paired differences, metric by metric."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.comparison.measures import Measure, names
from pipeline.comparison.resampling import resampled_rows, row_weights
from pipeline.comparison.verdicts import INCONCLUSIVE, Difference, difference
from pipeline.evaluation.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Mistakes:
    """Images that one version gets right and the other wrong, and McNemar's exact p-value.

    ``p_value`` is the chance of so uneven a split, or one more so, if both err equally often.
    """

    mended: int
    broken: int
    both: int
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two versions differ in; the first of ``differences`` is the one the verdict rests on."""

    differences: tuple[Difference, ...]
    mistakes: Mistakes


def compare(
    old: Outcome,
    new: Outcome,
    groups: np.ndarray,
    *,
    confidence: float,
    resamples: int,
    rng: np.random.Generator,
    thresholds: tuple[np.ndarray, np.ndarray] | None = None,
    spreads: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare answers about the same rows in the same order; what is above 0 favours ``new``.

    ``groups`` is int (n,), equal for rows of one source. ``thresholds`` are the two versions'
    thresholds chosen again on resamples of validation, see :func:`chosen_again`; ``spreads`` what
    training again may do to a metric, see :func:`pipeline.comparison.verdicts.training_spread`.
    """
    own, again = thresholds if thresholds else (None, None)
    measures = Measure(old, own), Measure(new, again)
    values = [_observed(measure) for measure in measures]
    drawn = _resampled(measures, groups, resamples=resamples, rng=rng)
    mistakes = count_mistakes(old, new)
    differences = [
        difference(
            name,
            values[0][name],
            values[1][name],
            drawn[name],
            confidence=confidence,
            spread=(spreads or {}).get(name),
        )
        for name in names(old.task)
    ]
    if len(np.unique(groups)) == len(groups):
        differences = [_held_to_mcnemar(d, mistakes, 1 - confidence) for d in differences]
    return Comparison(differences=tuple(differences), mistakes=mistakes)


def _held_to_mcnemar(found: Difference, mistakes: Mistakes, level: float) -> Difference:
    """The accuracy has an exact test, so where images are independent it has to pass it too."""
    if found.name != "accuracy" or found.verdict == INCONCLUSIVE or mistakes.p_value < level:
        return found
    return replace(found, verdict=INCONCLUSIVE, reason="McNemar's exact test does not confirm it")


def _observed(measure: Measure) -> dict[str, float]:
    once = np.ones((1, len(measure.outcome.targets)), np.float32)
    return {name: float(column[0]) for name, column in measure.values(once).items()}


def _resampled(
    measures: tuple[Measure, Measure], groups: np.ndarray, *, resamples: int, rng
) -> dict[str, np.ndarray]:
    """The paired differences (R,) of every metric: both versions see the same rows each time."""
    parts, done = [], 0
    targets = measures[0].outcome.targets
    for weights in row_weights(groups, targets, resamples=resamples, rng=rng):
        numbers = np.arange(done, done + len(weights))
        old, new = (measure.values(weights, _cycled(measure, numbers)) for measure in measures)
        parts.append({name: new[name] - old[name] for name in new})
        done += len(weights)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _cycled(measure: Measure, numbers: np.ndarray) -> np.ndarray | None:
    return None if measure.thresholds is None else numbers % len(measure.thresholds)


def chosen_again(
    pick: Callable[[np.ndarray], float],
    groups: np.ndarray,
    targets: np.ndarray,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """The threshold that ``pick(rows)`` chooses on each resample of validation, float (R,).

    A threshold is chosen on few positives, so two trainings of one recipe get two thresholds, and
    their precision and recall differ for no reason that would hold again. Taking that into each
    resample is what keeps such pairs from being called better or worse: without it, one pair in
    four was, at 30 positives in each set. With equal ``rng`` both versions see the same resamples.
    """
    rows = resampled_rows(groups, targets, resamples=resamples, rng=rng)
    return np.array([pick(chosen) for chosen in rows])


def count_mistakes(old: Outcome, new: Outcome) -> Mistakes:
    """Where the versions disagree with the truth, and the exact test of McNemar (1947).

    https://doi.org/10.1007/BF02295996. Rows of one source count as strangers here.
    """
    from scipy.stats import binomtest

    was_wrong, is_wrong = _wrong(old), _wrong(new)
    mended, broken = int((was_wrong & ~is_wrong).sum()), int((is_wrong & ~was_wrong).sum())
    p_value = float(binomtest(mended, mended + broken).pvalue) if mended + broken else 1.0
    both = int((was_wrong & is_wrong).sum())
    return Mistakes(mended=mended, broken=broken, both=both, p_value=p_value)


def _wrong(outcome: Outcome) -> np.ndarray:
    """bool (n,): the wrong answers, as the accuracy counts them."""
    positive = outcome.task.positive_index
    if positive is None:
        return outcome.predicted != outcome.targets
    return (outcome.predicted == positive) != (outcome.targets == positive)
