"""What a model's answers cost where each is the one with the least expected cost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import percentile_estimate
from raresight.pipeline.evaluation.uncertainty.methods import resampled_confusions
from raresight.pipeline.evaluation.uncertainty.resampling import resample_cells
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings


@dataclass(frozen=True, kw_only=True)
class CostResults:
    """Costs an image: of each outcome by name, and of what else could be answered on test.

    ``without_costs`` is what the classes with the highest scores cost, ``saved`` what the costs'
    answers save over them, and ``always`` the class that it would be cheapest to answer always,
    as training has the classes, with its cost on test.
    """

    by_outcome: Mapping[str, Estimate]
    without_costs: Estimate
    saved: Estimate
    always: tuple[str, float]


def cost_results(
    outcomes: Mapping[str, Predictions],
    costs: np.ndarray,
    seen: np.ndarray,
    *,
    settings: IntervalSettings,
    rng: np.random.Generator,
) -> CostResults:
    """``costs`` are (K, K), actual by predicted; ``seen``, int (n,), are the classes of training.

    ``outcomes`` hold ``test``; ``val`` has no interval, as the temperature was chosen there.
    """
    test = outcomes["test"]
    probable = Predictions(
        task=test.task,
        targets=test.targets,
        scores=test.scores,
        predicted=test.scores.argmax(axis=1),
        groups=test.groups,
    )
    shares = np.bincount(seen, minlength=len(costs))
    answer = int((shares @ costs).argmin())
    return CostResults(
        by_outcome={
            name: _cost(outcome, costs, None if name == "val" else settings, rng)
            for name, outcome in outcomes.items()
        },
        without_costs=_cost(probable, costs, settings, rng),
        saved=_saved(probable, test, costs, settings, rng),
        always=(test.task.classes[answer], float(costs[test.targets, answer].mean())),
    )


def _cost(
    outcome: Predictions,
    costs: np.ndarray,
    settings: IntervalSettings | None,
    rng: np.random.Generator,
) -> Estimate:
    """The mean cost; its interval from confusion counts that are resampled within each class."""
    value = float(costs[outcome.targets, outcome.predicted].mean())
    if settings is None:
        return Estimate(value=value)
    counts = np.concatenate(list(resampled_confusions(outcome, settings.num_bootstrap, rng)))
    drawn = (counts * costs).sum(axis=(-2, -1)) / counts.sum(axis=(-2, -1))
    return percentile_estimate(value, drawn, confidence=settings.confidence_level)


def _saved(
    before: Predictions,
    after: Predictions,
    costs: np.ndarray,
    settings: IntervalSettings,
    rng: np.random.Generator,
) -> Estimate:
    """What ``after`` costs less, on the same images; both are resampled together."""
    targets = after.targets
    saved = costs[targets, before.predicted] - costs[targets, after.predicted]
    amounts, cells = np.unique(saved, return_inverse=True)
    drawn = resample_cells(
        cells.ravel(),
        targets,
        after.groups,
        num_cells=len(amounts),
        resamples=settings.num_bootstrap,
        rng=rng,
    )
    means = drawn @ amounts / drawn.sum(axis=1)
    return percentile_estimate(float(saved.mean()), means, confidence=settings.confidence_level)
