"""What a model's answers cost where each is the one with the least expected cost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import percentile_estimate
from raresight.pipeline.evaluation.uncertainty.methods import Bootstrap, resampled_confusions
from raresight.pipeline.evaluation.uncertainty.resampling import has_groups, resample_cells


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
    bootstrap: Bootstrap,
    rng: np.random.Generator,
) -> CostResults:
    """``costs`` are (K, K), actual by called; ``seen`` int (n,) the classes of training's images.

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
            name: _cost(outcome, costs, None if name == "val" else bootstrap, rng)
            for name, outcome in outcomes.items()
        },
        without_costs=_cost(probable, costs, bootstrap, rng),
        saved=_saved(probable, test, costs, bootstrap, rng),
        always=(test.task.classes[answer], float(costs[test.targets, answer].mean())),
    )


def _cost(
    outcome: Predictions, costs: np.ndarray, bootstrap: Bootstrap | None, rng: np.random.Generator
) -> Estimate:
    """The mean cost; its interval from confusion counts that are resampled within each class."""
    value = float(costs[outcome.targets, outcome.predicted].mean())
    if bootstrap is None:
        return Estimate(value=value)
    counts = np.concatenate(list(resampled_confusions(outcome, bootstrap, rng)))
    drawn = (counts * costs).sum(axis=(-2, -1)) / counts.sum(axis=(-2, -1))
    return percentile_estimate(value, drawn, confidence=bootstrap.confidence)


def _saved(
    before: Predictions,
    after: Predictions,
    costs: np.ndarray,
    bootstrap: Bootstrap,
    rng: np.random.Generator,
) -> Estimate:
    """What ``after`` costs less, on the same images; both are resampled together."""
    targets = after.targets
    saved = costs[targets, before.predicted] - costs[targets, after.predicted]
    amounts, cells = np.unique(saved, return_inverse=True)
    groups = after.groups if has_groups(after.groups) else np.arange(len(targets))
    drawn = resample_cells(
        cells.ravel(),
        targets,
        groups,
        num_cells=len(amounts),
        resamples=bootstrap.resamples,
        rng=rng,
    )
    means = drawn @ amounts / drawn.sum(axis=1)
    return percentile_estimate(float(saved.mean()), means, confidence=bootstrap.confidence)
