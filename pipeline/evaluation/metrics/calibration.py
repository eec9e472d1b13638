"""Whether scores are probabilities: correcting them on validation, and measuring what is left."""

import math
from dataclasses import dataclass

import numpy as np

from raresight.pipeline.evaluation.metrics.registry import undefined
from raresight.pipeline.evaluation.uncertainty.effective import effective_proportion
from raresight.pipeline.evaluation.uncertainty.estimates import Estimate
from raresight.pipeline.evaluation.uncertainty.intervals import Interval, mean_interval
from raresight.pipeline.evaluation.uncertainty.settings import IntervalSettings

_TINY = 1e-300  # a score of 0 has no logarithm


@dataclass(frozen=True, kw_only=True)
class Calibrator:
    """Turns scores into probabilities for a set with the class shares ``prior``.

    ``assumed``, float (K,), are the class shares under which the scores are probabilities (equal
    ones for the logit-adjusted loss, those that training showed for the cross-entropy); dividing
    by them leaves what the image itself says, which ``temperature`` sharpens (below 1) or softens.
    """

    assumed: np.ndarray
    prior: np.ndarray
    temperature: float = 1.0

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities (n, K) of ``scores`` (n, K)."""
        inputs = np.log(np.maximum(scores, _TINY)) - np.log(self.assumed)
        return _softmax(inputs / self.temperature + np.log(self.prior))


def fit_calibrator(
    scores: np.ndarray, targets: np.ndarray, *, assumed: np.ndarray | None
) -> Calibrator:
    """The calibrator with the least log loss on validation ``scores`` (n, K), ``targets`` (n,).

    Its prior are validation's class shares; a class that validation lacks is worth a fraction of an
    image. The temperature (Guo et al. 2017, https://arxiv.org/abs/1706.04599) is sought between
    1/20 and 20. Where nobody knows the ``assumed`` class shares they are fitted too, each within
    e^-20 and e^20 times the last.
    """
    from scipy.optimize import minimize

    size = scores.shape[1]
    prior = (np.bincount(targets, minlength=size) + 1 / size) / (len(targets) + 1)

    def calibrator(values: np.ndarray) -> Calibrator:
        shares = assumed
        if shares is None:
            shares = _softmax(np.append(values[1:], 0.0)[None])[0]
        return Calibrator(assumed=shares, prior=prior, temperature=math.exp(values[0]))

    unknown = 0 if assumed is not None else size - 1
    limits = [(-math.log(20), math.log(20))] + [(-20, 20)] * unknown
    found = minimize(
        lambda values: log_loss(calibrator(values)(scores), targets),
        np.zeros(1 + unknown),
        bounds=limits,
        method="L-BFGS-B",
    )
    return calibrator(found.x)


def log_loss(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """The mean of -log of the actual class's probability, ``probabilities`` (n, K)."""
    actual = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(actual, _TINY)).mean())


def event(
    scores: np.ndarray, targets: np.ndarray, positive: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """The score (n,) of the event that calibration is about, and whether it happened, bool (n,).

    With a ``positive`` class: that an image is of it. Without: that the best class is right.
    """
    if positive is None:
        return scores.max(axis=1), scores.argmax(axis=1) == targets
    return scores[:, positive], targets == positive


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Bins from the lowest scores up; float (bins,) each.

    ``score`` is a bin's mean score, ``observed`` the share of its images where the event happened,
    ``low`` and ``high`` its interval, ``images`` their number.
    """

    score: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    images: np.ndarray


def reliability(
    score: np.ndarray,
    happened: np.ndarray,
    *,
    bins: int,
    settings: IntervalSettings,
    by_score: bool = False,
    groups: np.ndarray | None = None,
) -> Reliability:
    """The reliability diagram of ``score`` (n,) and ``happened``, bool (n,).

    ``groups``, int (n,), says which images belong together (None: each is alone). The interval of a
    bin whose images are all of one group is everything.

    Bins hold equally many images or, ``by_score``, equal sums of scores: as many events are
    expected in each, so that those of a rare event do not all fall into the last bin.
    """
    order = np.argsort(score, kind="stable")
    weight = np.maximum(score[order], _TINY) if by_score else np.ones(len(score))
    mass = np.cumsum(weight)
    middle = mass - weight / 2  # an image belongs to the bin in which its middle lies
    number = np.minimum((bins * middle / mass[-1]).astype(int), bins - 1)
    parts = np.split(order, np.flatnonzero(np.diff(number)) + 1)
    events = [int(happened[part].sum()) for part in parts]
    images = np.array([len(part) for part in parts])
    ends = [_ends(part, happened, groups, settings) for part in parts]
    low, high = np.array(ends).T
    return Reliability(
        score=np.array([score[part].mean() for part in parts]),
        observed=np.array(events) / images,
        low=low,
        high=high,
        images=images,
    )


def _ends(
    rows: np.ndarray, happened: np.ndarray, groups: np.ndarray | None, settings: IntervalSettings
) -> Interval:
    of_rows = None if groups is None else np.unique(groups[rows], return_inverse=True)[1]
    counts = effective_proportion(happened[rows], np.ones(len(rows), bool), of_rows)
    return (None if counts is None else settings.proportion(*counts)) or (0.0, 1.0)


def calibration_error(bins: Reliability) -> float:
    """The expected calibration error over equal-mass bins, without the bias of small bins.

    The mean |observed - score| is never 0, as the observed shares are noisy. If the sign of a
    bin's gap d is taken from one half of its images and its size from the other, gaps that are
    noise cancel; averaged over all halves, with a standard error s, that is
    d (2 Phi(d/s) - 1) - 2 s phi(d/s), which is 0 on average for probabilities that are right and
    |d| for a gap that is beyond doubt. Never below 0.
    """
    gaps = np.abs(bins.observed - bins.score)
    variance = bins.observed * (1 - bins.observed) / np.maximum(bins.images - 1, 1)
    error = np.sqrt(variance)
    ratio = np.divide(gaps, error, out=np.full(len(gaps), np.inf), where=error > 0)
    inside = np.array([math.erf(value / math.sqrt(2)) for value in ratio])  # 2 Phi - 1
    density = np.exp(-(np.minimum(ratio, 40.0) ** 2) / 2) / math.sqrt(2 * math.pi)
    unbiased = gaps * inside - 2 * error * density
    return max(0.0, float((bins.images * unbiased).sum() / bins.images.sum()))


def brier_parts(score: np.ndarray, happened: np.ndarray) -> dict[str, float]:
    """The Brier score and its parts: miscalibration - discrimination + uncertainty, exactly.

    Dimitriadis, Gneiting and Jordan (2021), https://doi.org/10.1073/pnas.2016191118: the parts are
    differences to the score after isotonic recalibration, so that no bins have to be chosen.
    """
    from scipy.optimize import isotonic_regression

    truth = happened.astype(float)
    _, number, images = np.unique(score, return_inverse=True, return_counts=True)
    shares = np.bincount(number, truth) / images
    fitted = isotonic_regression(shares, weights=images).x[number]
    whole, best = np.mean((score - truth) ** 2), np.mean((fitted - truth) ** 2)
    uncertainty = truth.mean() * (1 - truth.mean())
    return {
        "brier": float(whole),
        "brier_miscalibration": float(whole - best),
        "brier_discrimination": float(uncertainty - best),
        "brier_uncertainty": float(uncertainty),
    }


def calibration_figures(
    probabilities: np.ndarray,
    targets: np.ndarray,
    positive: int | None,
    *,
    bins: int,
    settings: IntervalSettings,
    groups: np.ndarray | None = None,
) -> dict[str, Estimate]:
    """Every figure of how far ``probabilities`` (n, K) can be believed; n > 0.

    ``groups``, int (n,), says which images belong together (None: each is alone).

    ``brier_skill`` is what they are better than always giving the base rate, as a share: 0 for
    that, 1 for perfect ones.
    """
    score, happened = event(probabilities, targets, positive)
    diagram = reliability(score, happened, bins=bins, settings=settings)
    parts = brier_parts(score, happened)
    errors = (score - happened) ** 2
    ends = mean_interval(errors, happened, groups, confidence=settings.confidence_level)
    figures: dict[str, Estimate] = {"ece": Estimate(value=calibration_error(diagram))}
    whole = parts.pop("brier")
    figures["brier"] = (
        Estimate(value=whole, reason=ends)
        if isinstance(ends, str)
        else Estimate(value=whole, low=ends[0], high=ends[1])
    )
    figures |= {name: Estimate(value=value) for name, value in parts.items()}
    figures["brier_skill"] = _skill(whole, parts["brier_uncertainty"])
    figures["log_loss"] = Estimate(value=log_loss(probabilities, targets))
    return figures


def _skill(brier: float, uncertainty: float) -> Estimate:
    if not uncertainty:
        return Estimate(value=None, reason=undefined("brier_skill"))
    return Estimate(value=1 - brier / uncertainty)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
