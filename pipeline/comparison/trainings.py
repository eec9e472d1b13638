"""How far a difference of means over trainings may be off: for the seeds, and for the images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Numbers = float | np.ndarray


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The variance of the difference between two recipes' means, in its two parts.

    ``images`` is what other images would change for the same recipes. ``variances`` are from
    training to training on the same images, and ``counts`` the trainings averaged, of the old and
    the new version (of the differences alone where trainings are paired).
    """

    images: float
    variances: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def seeds(self) -> float:
        """What other trainings would change on the same images."""
        return sum(
            variance / count for variance, count in zip(self.variances, self.counts, strict=True)
        )

    @property
    def variance(self) -> float:
        return self.images + self.seeds

    @property
    def freedom(self) -> float:
        """Satterthwaite's degrees of freedom; infinite where the seeds change nothing."""
        terms = [(v / n, n - 1) for v, n in zip(self.variances, self.counts, strict=True)]
        return float(_freedom(self.variance, terms))

    def with_trainings(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The variance, and its degrees of freedom, of as many trainings of each (n,)."""
        terms = [(variance / numbers, numbers - 1) for variance in self.variances]
        total = np.asarray(self.images + sum(variance for variance, _ in terms))
        return total, _freedom(total, terms)


def _freedom(total: Numbers, terms: Sequence[tuple[Numbers, Numbers]]) -> np.ndarray:
    """(sum of the variances)^2 / sum(variance^2 / freedom)."""
    square = np.asarray(sum(variance**2 / freedom for variance, freedom in terms), float)
    known = square > 0
    return np.where(known, np.asarray(total) ** 2 / np.where(known, square, 1), np.inf)


def parts_of(
    values: Sequence[np.ndarray], drawn: Sequence[np.ndarray], *, paired: bool = False
) -> Parts:
    """From a metric of each of 2 or more trainings, (a,), (b,), and on resamples, (R, a), (R, b).

    Every training is scored on the same images, so their metrics vary together; of what the images
    do, only what trainings share is left in a mean over many. That is the analysis of Obuchowski
    and Rockette (1995, https://doi.org/10.1080/03610919508813243) for studies in which each test
    has readers of its own, with trainings for readers and images for cases. The variance is

        s_old^2 / a  +  s_new^2 / b  +  C_old + C_new - 2 C_between

    s^2 being the sample variance over trainings, and C the mean covariance, over resamples of the
    images, of the metrics of two trainings of a version, or of one of each. The s^2 hold what the
    images do to a single training as well, so nothing is counted twice. Degrees of freedom
    are Satterthwaite's, with the covariances taken as known (Hillis 2007,
    https://doi.org/10.1002/sim.2532).

    It assumes that trainings are a random sample of what a recipe gives, roughly normal, and
    independent between the versions. The images they were fitted on are the same for all and no
    part of it. A single training is not enough: to lend it the other version's s^2 called one in
    six pairs that differ by seed alone better, where the metric was skewed over the seeds.
    ``paired``: the k-th trainings of both are one model, decided in two ways, so what varies are
    their differences.
    """
    if paired:
        values, drawn = [values[1] - values[0]], [drawn[1] - drawn[0]]
    return Parts(
        images=max(0.0, _images(drawn)),
        variances=tuple(float(one.var(ddof=1)) for one in values),
        counts=tuple(len(one) for one in values),
    )


def _images(drawn: Sequence[np.ndarray]) -> float:
    covariance = np.atleast_2d(np.cov(np.concatenate(drawn, axis=1), rowvar=False))
    first = drawn[0].shape[1]
    within = _between_trainings(covariance[:first, :first])
    if len(drawn) == 1:
        return within
    within += _between_trainings(covariance[first:, first:])
    return float(within - 2 * covariance[:first, first:].mean())


def _between_trainings(block: np.ndarray) -> float:
    """The mean covariance of two trainings."""
    size = len(block)
    return float((block.sum() - np.trace(block)) / (size * (size - 1)))
