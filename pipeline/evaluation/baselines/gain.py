"""What the model is worth beyond the best of the fitted baselines: whether a network was needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.metrics.ranking import Ranking, average_precision
from raresight.pipeline.evaluation.uncertainty.effective import has_groups
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import percentile_estimate
from raresight.pipeline.evaluation.uncertainty.permutation import FEW_POSITIVES, permutation_tests
from raresight.pipeline.evaluation.uncertainty.resampling import resample_rankings
from raresight.pipeline.evaluation.uncertainty.row_bootstrap import resample_quality
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

_AVERAGE_PRECISION = 1  # column of resample_quality


@dataclass(frozen=True, kw_only=True)
class Gain:
    """The model's ``metric`` less that of ``baseline``, the best one, on the same test images.

    The metric is the average precision, of the positive class or (macro) over the classes: it
    ranks, so no threshold has a say in it. ``p`` is that of a permutation test, with fewer
    positives than FEW_POSITIVES: the interval then leaves out 0 too often.
    """

    baseline: str
    metric: str
    gain: Estimate
    p: float | None = None


def gain_over(
    model: Predictions,
    baselines: Mapping[str, Predictions],
    *,
    settings: IntervalSettings,
    rng: np.random.Generator,
) -> Gain | None:
    """How much better ``model`` ranks than the best of ``baselines``, with an interval.

    The interval is a bootstrap of both on the same resamples; with few positives an exact test
    stands beside it, as in a comparison of versions. That the best baseline is chosen on
    the test images favors the baseline. None where a class is not in the test set, and where there
    are no baselines.
    """
    qualities = {name: _quality(outcome) for name, outcome in baselines.items()}
    if not qualities or np.isnan([_quality(model), *qualities.values()]).any():
        return None
    best = max(qualities, key=qualities.__getitem__)
    difference = _quality(model) - qualities[best]
    resampled = _resampled([model, baselines[best]], settings.num_bootstrap, rng)
    return Gain(
        baseline=best,
        metric="macro_average_precision" if model.task.positive is None else "average_precision",
        gain=percentile_estimate(
            difference, resampled[:, 0] - resampled[:, 1], confidence=settings.confidence_level
        ),
        p=_tested(baselines[best], model, rng),
    )


def _tested(old: Predictions, new: Predictions, rng: np.random.Generator) -> float | None:
    index = new.task.positive_index
    if index is None or (new.targets == index).sum() >= FEW_POSITIVES:
        return None
    groups = np.arange(len(new.targets)) if new.groups is None else new.groups
    return permutation_tests(old, new, groups, rng=rng)["average_precision"]


def _rankings(outcome: Predictions) -> Sequence[Ranking]:
    return outcome.rankings if outcome.task.positive is None else [outcome.main_ranking]


def _quality(outcome: Predictions) -> float:
    values = [average_precision(*ranking.counts()) for ranking in _rankings(outcome)]
    return float(np.mean(values))


def _resampled(
    outcomes: Sequence[Predictions], resamples: int, rng: np.random.Generator
) -> np.ndarray:
    """The quality of each outcome in each resample, (R, outcomes)."""
    first = outcomes[0]
    rankings = [ranking for outcome in outcomes for ranking in _rankings(outcome)]
    if has_groups(first.groups):
        values = resample_rankings(
            rankings,
            first.targets,
            average_precision,
            groups=first.groups,
            resamples=resamples,
            rng=rng,
        )
    else:
        quality = resample_quality(rankings, first.targets, resamples=resamples, rng=rng)
        values = quality[..., _AVERAGE_PRECISION]
    return np.asarray(values.reshape(resamples, len(outcomes), -1).mean(axis=-1))
