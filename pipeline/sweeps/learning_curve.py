"""Learning curves: an error by the number of examples, carried on at most four times ahead.

A power law without a floor is too hopeful where there is one, and with a floor too gloomy where
there is none (Mahmood et al. 2022: the truth lies between families of curves), so that both are
fitted, and the interval is the union of theirs. Both are too gloomy for a net that begins to know a
class, whose error falls faster than a power law; so the interval's lower end is that of the last
step carried on, where that is lower.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from raresight.pipeline.core import seeds

MOST_AHEAD = 4.0
_RESAMPLES, _FLOORS, _LEAST = 400, 40, 1e-4
_TAIL = 0.025


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The error at ``size`` examples: what is expected, and its 95 % interval."""

    size: float
    expected: float
    low: float
    high: float


def forecast(
    sizes: np.ndarray,
    errors: np.ndarray,
    at: Sequence[float],
    *,
    seed: int,
    resolution: float = 0.0,
) -> list[Forecast]:
    """The error at each of the sizes ``at``, from those measured.

    ``sizes`` is float (k,), ascending, ``errors`` float (k, S) in (0, 1] of S seeds, each of which
    has nested examples, so that seeds are resampled whole. The interval is that of the bootstrap,
    as much wider as few seeds know little of their own spread: by Student's t with S - 1 degrees
    of freedom. An error below the ``resolution`` of what it is measured on may as well be none:
    intervals that reach there reach to 0. ValueError beyond four times the largest size.
    """
    targets = np.asarray(at, float)
    if targets.max() > MOST_AHEAD * sizes[-1] * (1 + 1e-9):
        raise ValueError(f"a curve is carried on at most {MOST_AHEAD:g} times ahead")
    count = errors.shape[1]
    rng = seeds.rng(seed, "learning curve", count)
    draws = rng.integers(0, count, (_RESAMPLES, count))
    drawn = np.maximum(errors[:, draws].mean(axis=2).T, _LEAST)
    # All seeds draw from the same images; others would have given another curve.
    drawn *= np.exp(rng.normal(0, _of_the_images(sizes, errors), drawn.shape))
    means = np.concatenate((errors.mean(axis=1)[None], drawn))
    wider = _wider(count)
    low, high, expected = [], [], []
    for first, floor in ((0, False), (0, True), (len(sizes) - 2, False)):
        found = np.stack(
            [carried_on(sizes[first:], one[first:], targets, floor=floor) for one in means]
        )
        middle = found[0]
        ends = np.quantile(found[1:], (_TAIL, 1 - _TAIL), axis=0)
        # On the scale of logarithms an interval that is made wider stays above 0.
        low.append(middle * np.minimum(ends[0] / middle, 1) ** wider)
        if first:  # the last step says how low an error may get, and not how high it stays
            continue
        high.append(middle * np.maximum(ends[1] / middle, 1) ** wider)
        expected.append(middle)
    return [
        Forecast(
            size=float(size),
            expected=float(e),
            low=float(lo) if lo >= resolution else 0.0,
            high=float(min(hi, 1.0)),
        )
        for size, e, lo, hi in zip(
            targets, np.mean(expected, axis=0), np.min(low, axis=0), np.max(high, axis=0),
            strict=True,
        )
    ]  # fmt: skip


def back_test(
    sizes: np.ndarray, errors: np.ndarray, *, seed: int, resolution: float = 0.0
) -> Forecast:
    """What all sizes but the largest would have foretold of it."""
    last = [float(sizes[-1])]
    return forecast(sizes[:-1], errors[:-1], last, seed=seed, resolution=resolution)[0]


def carried_on(sizes: np.ndarray, errors: np.ndarray, at: np.ndarray, *, floor: bool) -> np.ndarray:
    """A power law ``c + a n^-b`` with b >= 0 through errors (k,) at sizes (k,), at sizes (m,).

    c is 0 without a ``floor``; with one it is the one of a grid below the least error with which
    the logarithms of the errors are met best.
    """
    seen = np.maximum(errors, _LEAST)
    floors = np.linspace(0, 0.98, _FLOORS) * seen.min() if floor else np.zeros(1)
    logs = np.log(sizes)
    rest = np.log(seen[None] - floors[:, None])  # (floors, k)
    centred = logs - logs.mean()
    slopes = np.minimum((rest * centred).sum(axis=1) / (centred**2).sum(), 0)
    starts = rest.mean(axis=1) - slopes * logs.mean()
    fitted = floors[:, None] + np.exp(starts[:, None] + slopes[:, None] * logs)
    best = int(((np.log(fitted) - np.log(seen)) ** 2).sum(axis=1).argmin())
    result: np.ndarray = floors[best] + np.exp(starts[best] + slopes[best] * np.log(at))
    return result


def _of_the_images(sizes: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The deviation of an error's logarithm from one set of images to another, (k,), that seeds
    cannot show.

    A part w of all images, drawn without replacement, shows 1 - w of its variance from seed to
    seed; w of it is the same for every seed. The variance goes with 1 / size.
    """
    shares = sizes / sizes[-1]
    part = shares < 1
    if errors.shape[1] < 2 or not part.any():
        return np.zeros(len(sizes))
    spread = np.log(np.maximum(errors[part], _LEAST)).var(axis=1, ddof=1)
    of_one = np.mean(spread * sizes[part] / (1 - shares[part]))
    result: np.ndarray = np.sqrt(of_one / sizes * shares)
    return result


def _wider(count: int) -> float:
    """How much wider an interval of ``count`` seeds is than the bootstrap's of their mean."""
    if count < 2:
        return 1.0
    quantile = student.ppf(1 - _TAIL, count - 1) / student.ppf(1 - _TAIL, np.inf)
    return float(quantile * np.sqrt(count / (count - 1)))
