"""Where the model is worse than elsewhere: results by every recorded factor, worst first.

Looking at many parts of one test set finds bad ones by chance alone, so what speaks
against each is corrected for how many were looked at.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.uncertainty.effective import (
    FEWEST_GROUPS,
    count_groups,
    effective_proportion,
    too_few_groups,
)
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.multiple_tests import holm
from raresight.pipeline.evaluation.uncertainty.outcomes import groups_of
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

PERTURBED = "perturbed"  # the factor that tells clean from perturbed images


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One part of the test set: of its ``images``, where ``factor`` is ``part``, how many are
    ``correct``. They are of so many ``groups``, each image of its own where none belong together.

    ``metric`` is recall, precision or (without a positive class) accuracy. ``p`` is how likely the
    part would fare so badly against the others by chance, None where that cannot be asked;
    ``p_adjusted`` the same after Holm's correction for all parts that were looked at.
    """

    metric: str
    factor: str
    part: str
    correct: int
    images: int
    groups: int
    estimate: Estimate
    p: float | None
    p_adjusted: float | None = None

    @property
    def name(self) -> str:
        return f"{self.factor} = {self.part}"


@dataclass(frozen=True, kw_only=True)
class _Count:
    """What a metric counts: ``correct`` among ``counted``, bool (n,) each.

    ``against`` are the images that could lower it. A part without any (a factor that only
    positives have, for precision) says nothing. ``groups``, int (n,), are those of the images, None
    where each is alone.
    """

    metric: str
    counted: np.ndarray
    correct: np.ndarray
    against: np.ndarray
    groups: np.ndarray | None


def slice_results(
    clean: Predictions,
    perturbed: Predictions | None,
    factors: Mapping[str, np.ndarray],
    *,
    bins: int,
    min_images: int,
    settings: IntervalSettings,
) -> tuple[Slice, ...]:
    """Every part of the test set by every factor, metric by metric and the worst first.

    ``factors`` are float (n,) with NaN, or str (n,) with "", where a factor is unknown. Numbers are
    cut at the quantiles of the positives' (of all images' without a positive class). Worst is the
    part whose interval ends lowest: bad, and known to be.
    """
    found: list[Slice] = []
    of_perturbed = {} if perturbed is None else {one.metric: one for one in _counts(perturbed)}
    reference = _reference(clean)
    parts = {name: _parts(values, reference, bins) for name, values in factors.items()}
    for count in _counts(clean):
        slices = [
            _slice(count, name, part, inside, settings)
            for name, cut in parts.items()
            for part, inside in (cut if len(cut) > 1 else [])
            if (inside & count.against).any()
        ]
        if perturbed is not None:
            slices += _by_perturbation(count, of_perturbed[count.metric], settings)
        kept = _adjusted([one for one in slices if one.images >= min_images])
        found += sorted(kept, key=_worst_first)
    return tuple(found)


def _worst_first(one: Slice) -> tuple[float, float, str]:
    """By what is known: a part without an interval may be perfect."""
    high, value = one.estimate.high, one.estimate.value
    return 1.0 if high is None else high, 1.0 if value is None else value, one.name


def _counts(outcome: Predictions) -> Iterator[_Count]:
    right = outcome.targets == outcome.predicted
    index, groups = outcome.task.positive_index, groups_of(outcome)
    if index is None:
        every = np.ones(len(right), bool)
        yield _Count(metric="accuracy", counted=every, correct=right, against=every, groups=groups)
        return
    actual, predicted = outcome.targets == index, outcome.predicted == index
    yield _Count(metric="recall", counted=actual, correct=predicted, against=actual, groups=groups)
    yield _Count(
        metric="precision", counted=predicted, correct=actual, against=~actual, groups=groups
    )


def _reference(outcome: Predictions) -> np.ndarray:
    index = outcome.task.positive_index
    return np.ones(len(outcome.targets), bool) if index is None else outcome.targets == index


def _parts(values: np.ndarray, reference: np.ndarray, bins: int) -> list[tuple[str, np.ndarray]]:
    """Names and masks (n,) of the parts that a factor's ``values`` (n,) are cut into."""
    if values.dtype.kind not in "fiu":
        return [(str(value), values == value) for value in np.unique(values) if value != ""]
    values = values.astype(float)
    known = values[reference & ~np.isnan(values)]
    distinct = np.unique(known)
    if len(distinct) <= bins + 2:
        return [(f"{value:g}", values == value) for value in distinct]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
    # The outermost parts take in what lies beyond the positives' range.
    number = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    number[np.isnan(values)] = -1
    names = [_range(low, high) for low, high in pairwise(edges)]
    return [(name, number == place) for place, name in enumerate(names)]


def _range(low: float, high: float) -> str:
    """Both ends to two digits of the width: an end that is next to nothing beside it is 0."""
    places = 1 - math.floor(math.log10(high - low))
    ends = (round(end, places) + 0.0 for end in (low, high))  # + 0.0: no minus before a zero
    return " to ".join(f"{end:.9g}" for end in ends)


def _slice(
    count: _Count, factor: str, part: str, inside: np.ndarray, settings: IntervalSettings
) -> Slice:
    here = count.counted & inside
    p = None
    if here.sum() < count.counted.sum():
        p = worse_than_others(
            int((here & count.correct).sum()),
            int(here.sum()),
            int((count.counted & count.correct).sum()),
            int(count.counted.sum()),
        )
        if count.groups is not None:
            p = max(p, _worse_by_group(count, here))
    return _result(count, factor, part, here, p, settings)


def _result(
    count: _Count,
    factor: str,
    part: str,
    here: np.ndarray,
    p: float | None,
    settings: IntervalSettings,
) -> Slice:
    correct, images = int((here & count.correct).sum()), int(here.sum())
    estimate = Estimate(value=None, reason="no image counts here")
    if images:
        worth = effective_proportion(count.correct, here, count.groups)
        ends = None if worth is None else settings.proportion(*worth)
        estimate = (
            Estimate(value=correct / images, reason=too_few_groups(images))
            if ends is None
            else Estimate(value=correct / images, low=ends[0], high=ends[1])
        )
    return Slice(
        metric=count.metric,
        factor=factor,
        part=part,
        correct=correct,
        images=images,
        groups=count_groups(count.groups, here),
        estimate=estimate,
        p=p,
    )


def _by_perturbation(
    count: _Count, perturbed: _Count, settings: IntervalSettings
) -> Iterator[Slice]:
    """The same images clean and perturbed.

    Compared as pairs where both count the same images; otherwise (precision) as if they were
    others, which asks for more evidence than is needed.
    """
    paired = (count.counted == perturbed.counted).all()
    for part, own, other in (("no", count, perturbed), ("yes", perturbed, count)):
        if paired:
            differs = own.correct.astype(int) - other.correct
            won, lost = (int((differs[own.counted] == way).sum()) for way in (1, -1))
            p = _sign_test(won, lost)
            if count.groups is not None:
                p = max(p, _below_zero(np.where(own.counted, differs, 0), count.groups))
        else:
            correct, images = int((own.counted & own.correct).sum()), int(own.counted.sum())
            others = int((other.counted & other.correct).sum()), int(other.counted.sum())
            p = worse_than_others(correct, images, correct + others[0], images + others[1])
        yield _result(own, PERTURBED, part, own.counted, p, settings)


def _worse_by_group(count: _Count, here: np.ndarray) -> float:
    """How likely the part ``here`` would fare so badly by chance where images belong together.

    The score test of a difference of proportions, whose variance is that of the sums of groups
    (Rotnitzky and Jewell 1990, https://doi.org/10.1093/biomet/77.3.485).
    """
    counted = count.counted
    share, part = count.correct[counted].mean(), here[counted].mean()
    assert count.groups is not None
    return _below_zero(
        np.where(counted, (count.correct - share) * (here - part), 0.0), count.groups
    )


def _below_zero(values: np.ndarray, groups: np.ndarray) -> float:
    """How likely the sum of ``values`` (n,), expected to be 0, is so low by chance: Student's."""
    from scipy.special import stdtr

    sums = np.bincount(groups, values)
    sums = sums[sums != 0]
    if len(sums) < FEWEST_GROUPS:
        return 1.0
    return float(stdtr(len(sums) - 1, sums.sum() / np.sqrt((sums**2).sum())))


def worse_than_others(correct: int, images: int, total_correct: int, total: int) -> float:
    """Fisher's exact probability of at most ``correct`` in a part of ``images``, chance alone.

    ``total_correct`` of all ``total`` images are correct; ``images`` of them are drawn.
    """
    from scipy.special import gammaln

    def log_choose(n: int, k: np.ndarray | int) -> np.ndarray:
        return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

    least = max(0, images - (total - total_correct))
    k = np.arange(least, correct + 1)
    logs = log_choose(total_correct, k) + log_choose(total - total_correct, images - k)
    return min(1.0, float(np.exp(logs - log_choose(total, images)).sum()))


def _sign_test(won: int, lost: int) -> float:
    """The probability of at most ``won`` of the pairs that differ, if either way is as likely."""
    from scipy.special import bdtr

    return float(bdtr(won, won + lost, 0.5)) if won + lost else 1.0


def _adjusted(slices: Sequence[Slice]) -> list[Slice]:
    """With Holm's correction for all that could be tested."""
    adjusted = list(slices)
    tested = [(k, one.p) for k, one in enumerate(slices) if one.p is not None]
    for (k, _), p in zip(tested, holm([p for _, p in tested]), strict=True):
        adjusted[k] = replace(slices[k], p_adjusted=float(p))
    return adjusted
