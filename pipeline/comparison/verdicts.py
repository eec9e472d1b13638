"""Better, worse, inconclusive or identical: the metrics of two versions judged together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.comparison.measured import Measured, Needed
from raresight.pipeline.evaluation.metrics.registry import METRICS
from raresight.pipeline.evaluation.uncertainty.multiple_tests import holm

BETTER, WORSE, INCONCLUSIVE = "better", "worse", "inconclusive"
IDENTICAL, UNKNOWN = "identical", "unknown"
TRAINED_ONCE = "a version was trained once: the variance between seeds is unknown"
ADJUSTED = "not significant once adjusted for the other metrics"
# Where the primary metric has no verdict, the others share a fifth of the level (1 % of 5 %).
OTHERS_WEIGHT = 5


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One metric of two versions.

    ``old`` and ``new`` are means over the trainings of each, ``difference`` is new - old, with the
    interval ``low`` to ``high`` and the p-value ``p``; None where it is undefined, and ``reason``
    says why. ``p_adjusted`` is what decides: of the primary metric ``p`` itself. ``verdict`` is
    about the recipes. ``models`` says instead what is known of the two models, where one of the
    versions was trained once; else it is None. ``sample_size_factor`` is how many times as large
    the test set, and ``trainings`` how many trainings of each version, it would take for a verdict;
    None where there is one already, nothing differs, or it alone would never do.
    """

    name: str
    old: float | None
    new: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str
    models: str | None = None
    p: float | None = None
    p_adjusted: float | None = None
    reason: str | None = None
    sample_size_factor: float | None = None
    trainings: int | None = None

    @property
    def ruling(self) -> str:
        """The verdict on the recipes or, where there can be none, on the two models."""
        return self.verdict if self.models is None else self.models


def judge(
    measured: Sequence[Measured], *, confidence: float, single: bool = False
) -> tuple[Difference, ...]:
    """Judge metrics together; the first is the primary one, which the whole verdict rests on.

    The primary metric is tested alone, at 1 - ``confidence``: no other costs it power. The others
    are adjusted among each other by Holm's method; where the primary one has no verdict of its own
    they have to hold at a fifth of the level, so that anything at all is called better or worse by
    chance in at most 1.2 (1 - confidence): 6 % at 95 %. That is the fallback procedure of Wiens
    (2003, https://doi.org/10.1002/pst.64). A metric in which nothing can differ, as both versions
    gave the same answers, takes no part. ``single``: a version was trained once, so that the
    verdicts are about the models, and about the recipes nothing is known.
    """
    level = 1 - confidence
    primary, others = measured[0], measured[1:]
    open_question = primary.testable and _verdict(primary, primary.p, level) == INCONCLUSIVE
    weight = OTHERS_WEIGHT if open_question else 1
    tested = [one for one in others if one.testable]
    adjusted = np.minimum(weight * holm([one.p or 0.0 for one in tested]), 1.0)
    p_of = {one.name: float(p) for one, p in zip(tested, adjusted, strict=True)}
    share = level / max(1, weight * len(tested))  # what Holm's first step leaves for each
    return (
        _judged(primary, primary.p, level, share=level, single=single),
        *(_judged(one, p_of.get(one.name), level, share=share, single=single) for one in others),
    )


def _judged(
    one: Measured, p_adjusted: float | None, level: float, *, share: float, single: bool
) -> Difference:
    verdict = _verdict(one, p_adjusted, level)
    reason = one.reason if verdict == INCONCLUSIVE else None
    if verdict == INCONCLUSIVE and one.excludes_zero and one.p is not None and one.p < level:
        reason = ADJUSTED
    needed = one.needed(1 - share) if verdict == INCONCLUSIVE else Needed()
    return Difference(
        name=one.name,
        old=one.old,
        new=one.new,
        difference=one.difference,
        low=one.low,
        high=one.high,
        verdict=UNKNOWN if single else verdict,
        models=verdict if single else None,
        p=one.p,
        p_adjusted=p_adjusted,
        reason=reason or (TRAINED_ONCE if single else None),
        sample_size_factor=needed.sample_size_factor,
        trainings=needed.trainings,
    )


def _verdict(one: Measured, p_adjusted: float | None, level: float) -> str:
    if one.identical:
        return IDENTICAL
    if one.low is None or p_adjusted is None or not one.excludes_zero or p_adjusted >= level:
        return INCONCLUSIVE
    return BETTER if (one.low > 0) == METRICS[one.name].higher_is_better else WORSE
