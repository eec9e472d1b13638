"""Where the model is worse than elsewhere: results by every recorded factor, worst first.

Looking at many parts of one test set finds bad ones by chance alone, so each part's inputs is
corrected for how many were looked at.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from raresight.pipeline.evaluation.decisions.predictions import Predictions
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate

PERTURBED = "perturbed"  # the factor that tells clean from perturbed images

Interval = Callable[[int, int], tuple[float, float] | None]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One part of the test set: ``hits`` of ``images`` counted in the images where ``factor`` is
    ``part``.

    ``metric`` is recall, precision or (without a positive class) accuracy. ``p`` is how likely the
    part would fare so badly against the others by chance, None where that cannot be asked;
    ``p_adjusted`` the same after Holm's correction for all parts that were looked at.
    """

    metric: str
    factor: str
    part: str
    hits: int
    images: int
    estimate: Estimate
    p: float | None
    p_adjusted: float | None = None

    @property
    def name(self) -> str:
        return f"{self.factor} {self.part}"


@dataclass(frozen=True, kw_only=True)
class _Count:
    """What a metric counts: ``hit`` among ``counted``, bool (n,) each.

    ``against`` are the images that could lower it. A part without any (a factor that only
    positives have, for precision) says nothing.
    """

    metric: str
    counted: np.ndarray
    hit: np.ndarray
    against: np.ndarray


def slice_results(
    clean: Predictions,
    perturbed: Predictions | None,
    factors: Mapping[str, np.ndarray],
    *,
    bins: int,
    min_images: int,
    interval: Interval,
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
            _slice(count, name, part, inside, interval)
            for name, cut in parts.items()
            for part, inside in (cut if len(cut) > 1 else [])
            if (inside & count.against).any()
        ]
        if perturbed is not None:
            slices += _by_perturbation(count, of_perturbed[count.metric], interval)
        kept = _adjusted([one for one in slices if one.images >= min_images])
        found += sorted(kept, key=lambda one: (one.estimate.high, one.estimate.value, one.name))
    return tuple(found)


def _counts(outcome: Predictions) -> Iterator[_Count]:
    right = outcome.targets == outcome.predicted
    index = outcome.task.positive_index
    if index is None:
        every = np.ones(len(right), bool)
        yield _Count(metric="accuracy", counted=every, hit=right, against=every)
        return
    actual, called = outcome.targets == index, outcome.predicted == index
    yield _Count(metric="recall", counted=actual, hit=called, against=actual)
    yield _Count(metric="precision", counted=called, hit=actual, against=~actual)


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


def _slice(count: _Count, factor: str, part: str, inside: np.ndarray, interval: Interval) -> Slice:
    here = count.counted & inside
    hits, images = int((here & count.hit).sum()), int(here.sum())
    total, total_hits = int(count.counted.sum()), int((count.counted & count.hit).sum())
    p = worse_than_others(hits, images, total_hits, total) if images < total else None
    return Slice(
        metric=count.metric,
        factor=factor,
        part=part,
        hits=hits,
        images=images,
        estimate=_estimate(hits, images, interval),
        p=p,
    )


def _by_perturbation(count: _Count, perturbed: _Count, interval: Interval) -> Iterator[Slice]:
    """The same images clean and perturbed.

    Compared as pairs where both count the same images; otherwise (precision) as if they were
    others, which asks for more inputs than is needed.
    """
    paired = (count.counted == perturbed.counted).all()
    for part, own, other in (("no", count, perturbed), ("yes", perturbed, count)):
        hits, images = int((own.counted & own.hit).sum()), int(own.counted.sum())
        if paired:
            won, lost = (
                (a.hit & ~b.hit & a.counted).sum() for a, b in ((own, other), (other, own))
            )
            p = _sign_test(int(won), int(lost))
        else:
            others = int((other.counted & other.hit).sum()), int(other.counted.sum())
            p = worse_than_others(hits, images, hits + others[0], images + others[1])
        yield Slice(
            metric=count.metric,
            factor=PERTURBED,
            part=part,
            hits=hits,
            images=images,
            estimate=_estimate(hits, images, interval),
            p=p,
        )


def _estimate(hits: int, images: int, interval: Interval) -> Estimate:
    if not images:
        return Estimate(value=None, reason="no image counts here")
    low, high = interval(hits, images)
    return Estimate(value=hits / images, low=low, high=high)


def worse_than_others(hits: int, images: int, total_hits: int, total: int) -> float:
    """Fisher's exact probability of at most ``hits`` in a part of ``images``, chance alone.

    ``total_hits`` of all ``total`` images are hits; ``images`` of them are drawn.
    """
    from scipy.special import gammaln

    def log_choose(n, k):
        return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)

    least = max(0, images - (total - total_hits))
    k = np.arange(least, hits + 1)
    logs = log_choose(total_hits, k) + log_choose(total - total_hits, images - k)
    return min(1.0, float(np.exp(logs - log_choose(total, images)).sum()))


def _sign_test(won: int, lost: int) -> float:
    """The probability of at most ``won`` of the pairs that differ, if either way is as likely."""
    from scipy.special import bdtr

    return float(bdtr(won, won + lost, 0.5)) if won + lost else 1.0


def _adjusted(slices: Sequence[Slice]) -> list[Slice]:
    """With Holm's correction (1979, https://www.jstor.org/stable/4615733)."""
    tested = [k for k, one in enumerate(slices) if one.p is not None]
    tested.sort(key=lambda k: slices[k].p)
    adjusted, highest = dict.fromkeys(range(len(slices))), 0.0
    for place, k in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - place) * slices[k].p))
        adjusted[k] = highest
    return [replace(one, p_adjusted=adjusted[k]) for k, one in enumerate(slices)]
