"""Finding a learning rate: how far it can go, and where below that the loss falls fastest.

First the range test (Smith 2017): a step at each of many rising rates, until the loss breaks out.
Where the loss falls in it says little on a task that begins with a plateau, so the rates below the
break are then tried, each for the same steps from the same weights.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from raresight.pipeline.runtime.errors import DivergedError, StoppedError
from raresight.pipeline.training.loop import Progress, Trainer

RATES = np.geomspace(1e-6, 10.0, 141)  # twenty a decade
SHARES = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # of the rate at which the loss breaks out
_MEMORY = 0.9  # of the running mean that smooths the losses
_BROKEN = 2.0  # times the least smoothed loss before it
_SETTLE = 20  # steps, until the running mean no longer shows the luck of single batches

NewTrainer = Callable[[np.ndarray], "RateTrainer"]


@dataclass(frozen=True, kw_only=True)
class Search:
    """What was seen: the range test (n,), its break, and the loss each trial ended with.

    ``trials`` maps a rate to a loss, infinite where it diverged.
    """

    rates: np.ndarray
    smooth: np.ndarray
    breaks_at: float
    trials: dict[float, float]
    steps: int

    @property
    def suggestion(self) -> float:
        """The rate of the trial that ended with the least loss."""
        return min(self.trials, key=self.trials.__getitem__)


class RateTrainer(Trainer):
    """A trainer that takes one step at each of ``rates``; ``climbs``: until the loss breaks out."""

    def __init__(self, *arguments: Any, rates: np.ndarray, **options: Any):
        super().__init__(*arguments, **options)
        self.rates = rates
        self.climbs = rates[0] < rates[-1]
        self.losses: list[float] = []

    def run(self, on_step: Callable[[], None]) -> np.ndarray:
        """The loss of each step that was taken, float64; the weights are another's afterwards."""
        try:
            while not self._done():
                self._train_epoch(lambda images, epoch: on_step(), lambda state: None, self._done)
                self.progress = Progress(epoch=self.progress.epoch + 1)
        except (DivergedError, StoppedError):
            pass
        return np.array(self.losses[: len(self.rates)])

    def _done(self) -> bool:
        if self.climbs and self.losses and break_of(smoothed(self.losses)) is not None:
            return True
        return len(self.losses) >= len(self.rates)

    def _set_rate(self, step: int) -> None:
        self.update.rate = float(self.rates[min(step, len(self.rates) - 1)])

    def _check(self, loss: float, limit: float = math.inf) -> None:
        super()._check(loss, limit)
        self.losses.append(loss)


def search(new: NewTrainer, *, steps: int, on_step: Callable[[], None] = lambda: None) -> Search:
    """Search with trainers that ``new(rates)`` makes, all from the same weights.

    ``steps`` are those of each trial. ``on_step()`` is called after every step.
    """
    losses = new(RATES).run(on_step)
    smooth, rates = smoothed(losses), RATES[: len(losses)]
    place = break_of(smooth)
    breaks_at = float(rates[place] if place is not None else rates[-1])
    trials = {}
    for share in SHARES:
        rate = float(f"{share * breaks_at:.1e}")
        trials[rate] = ended(new(np.full(steps, rate)).run(on_step), steps)
    return Search(rates=rates, smooth=smooth, breaks_at=breaks_at, trials=trials, steps=steps)


def smoothed(losses: Iterable[float]) -> np.ndarray:
    """The running mean of losses, without the pull towards 0 of its beginning."""
    mean, out = 0.0, []
    for number, loss in enumerate(losses, 1):
        mean = _MEMORY * mean + (1 - _MEMORY) * loss
        out.append(mean / (1 - _MEMORY**number))
    return np.array(out)


def break_of(smooth: np.ndarray) -> int | None:
    """The first step whose smoothed loss is twice the least before it, and above the first ones'.

    The first steps, at rates that change nothing, show what the loss is without learning.
    """
    later = smooth[_SETTLE - 1 :]
    if not len(later):
        return None
    out = (later > _BROKEN * np.minimum.accumulate(later)) & (later > later[0])
    return _SETTLE - 1 + int(np.argmax(out)) if out.any() else None


def ended(losses: np.ndarray, steps: int) -> float:
    """The mean loss of a trial's last quarter; infinite where it did not get through."""
    return float(losses[-(steps // 4) :].mean()) if len(losses) == steps else math.inf
