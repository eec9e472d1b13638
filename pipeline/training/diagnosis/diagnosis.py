"""What a training's curves say about it: a code for what happened, and the numbers that show it.

The rules and their limits were set on the trainings of ``python -m benchmarks.diagnosis --rules``,
whose causes are known, and judged on others (docs/diagnosis.md). Losses are measured against
``chance``, the loss of the best prediction that is the same for every image. Sentences and advice
are made elsewhere, of these codes and numbers: rewording them retrains nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from raresight.pipeline.training.diagnosis.divergence import Divergence
from raresight.pipeline.training.diagnosis.history import Epoch

FIT = 0.12  # share of the chance loss below which nothing is left to gain by training longer
POOR = 0.35  # above which the training images are not learned
LEAP = 0.15  # relative weight change of an epoch over the square root of its steps
CREEP = 0.003
FEW_EPOCHS = 5
STILL_FALLING = 0.02  # of the chance loss an epoch
HIGH_RATE = 0.5  # of the highest learning rate: above it a training makes its way
LOW_RATE = 0.2  # below it the rate has run out
STAGNANT = 0.97  # of the chance loss: so much is not yet learning
WORSE = 1.2  # of the chance loss, in training: far above a constant prediction's
VAL_WORSE = 2.0  # the same of the validation loss, where training is not learned either
RISING = 0.005  # of validation average precision an epoch
AMPLE = 1.0  # weights an image: with more, capacity is not what keeps a model from learning them

Numbers = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One of ``CAUSES``, and the numbers that speak for it.

    A ``..._ratio`` is a share of the constant prediction's loss; ``fall_per_epoch`` is one, too.
    """

    cause: str
    numbers: Numbers


def diagnose(
    epochs: Sequence[Epoch],
    *,
    chance: float,
    steps_per_epoch: int,
    weights_per_image: float | None = None,
    divergence: Divergence | None = None,
) -> Diagnosis:
    """Judge a training by its curves; ``divergence`` is how it was broken off, if it was.

    ``weights_per_image`` is how many weights the model has for each image of an epoch, None where
    that is not known.
    """
    if divergence is not None:
        return Diagnosis(cause="diverged", numbers=divergence.numbers)
    signs = _Signs(epochs, chance=chance, steps=steps_per_epoch, ample=weights_per_image)
    for cause, rule in _RULES.items():
        if (numbers := rule(signs)) is not None:
            return Diagnosis(cause=cause, numbers=numbers)
    return Diagnosis(cause="converged", numbers=signs.end)


def stagnates(epochs: Sequence[Epoch], *, chance: float, after: int = 5) -> bool:
    """True once, ``after`` epochs into a training that has not begun to learn."""
    return len(epochs) == after and min(e.train_loss for e in epochs) >= STAGNANT * chance


class _Signs:
    """The curves in numbers that mean the same for every task."""

    def __init__(self, epochs: Sequence[Epoch], *, chance: float, steps: int, ample: float | None):
        self.epochs = epochs
        self.weights_per_image = ample
        self.quality = [epoch.val_average_precision for epoch in epochs]
        self.train = [epoch.train_loss / chance for epoch in epochs]
        self.val = [epoch.val_loss / chance for epoch in epochs]
        self.rates = [epoch.learning_rate for epoch in epochs]
        self.moves = [epoch.weight_change / steps**0.5 for epoch in epochs]
        self.tail = max(1, len(epochs) // 5)

    @property
    def lowest(self) -> int:
        """The epoch (from 0) of the least validation loss."""
        return min(range(len(self.val)), key=self.val.__getitem__)

    @property
    def fit(self) -> float:
        """The training loss at the end."""
        return fmean(self.train[-self.tail :])

    @property
    def fall(self) -> float:
        """How much the training loss still falls an epoch: over the last fifth of the training."""
        if len(self.train) < 2:
            return 0.0
        before = self.train[-2 * self.tail : -self.tail]
        return (fmean(before) - self.fit) / self.tail

    @property
    def rise(self) -> float:
        """How much the validation average precision rises an epoch: over the last two fifths."""
        if len(self.quality) < 2:
            return 0.0
        before = self.quality[-2 * self.tail : -self.tail]
        return (fmean(self.quality[-self.tail :]) - fmean(before)) / self.tail

    @property
    def best_is_late(self) -> bool:
        """Whether the best epoch is among the last fifth."""
        best = max(range(len(self.quality)), key=self.quality.__getitem__)
        return best >= len(self.quality) - self.tail

    @property
    def rate_left(self) -> float:
        """The learning rate of the last fifth as a share of the highest."""
        return fmean(self.rates[-self.tail :]) / max(self.rates)

    @property
    def fall_at_high_rate(self) -> float:
        """How much the training loss fell an epoch, over the last third of the epochs in which the
        learning rate was at least half the highest."""
        high = [k for k, rate in enumerate(self.rates) if rate >= HIGH_RATE * max(self.rates)]
        last, epochs = high[-1], min(high[-1], max(1, len(high) // 3))
        return (self.train[last - epochs] - self.train[last]) / epochs if epochs else 0.0

    @property
    def end(self) -> Numbers:
        last = self.epochs[-1]
        return {
            "epochs": len(self.epochs),
            "train_loss": last.train_loss,
            "val_loss": last.val_loss,
            "train_loss_ratio": self.train[-1],
            "val_loss_ratio": self.val[-1],
        }


def _too_high(signs: _Signs) -> Numbers | None:
    if max(signs.moves[:2]) > LEAP:  # nothing is left of the weights that it began with
        return {
            "weight_change": signs.epochs[0].weight_change,
            "first_train_loss_ratio": signs.train[0],
            "max_val_loss_ratio": max(signs.val),
        }
    return None


def _too_low(signs: _Signs) -> Numbers | None:
    if max(signs.moves) < CREEP and signs.fit > 0.7:
        moved = max(epoch.weight_change for epoch in signs.epochs)
        return {"max_weight_change": moved, **signs.end}
    return None


def _overfitting(signs: _Signs) -> Numbers | None:
    end, low = fmean(signs.val[-signs.tail :]), signs.val[signs.lowest]
    rose = end > 1.15 * low and end - low > 0.05 and end > 2 * signs.fit and end > 0.25
    apart = signs.fit < 0.05 and end > 0.08 and end > 8 * signs.fit
    if not (rose or apart) or _still_improving(signs):
        return None  # a loss that grows by a few sure mistakes, while the ranking gets better
    best = signs.epochs[signs.lowest]
    return {"lowest_val_epoch": best.epoch, "lowest_val_loss": best.val_loss, **signs.end}


def _not_converged(signs: _Signs) -> Numbers | None:
    few = len(signs.epochs) < FEW_EPOCHS
    if signs.fit > FIT and (few or signs.fall > STILL_FALLING):
        return {"fall_per_epoch": signs.fall, **signs.end}
    return None


def _worse_than_constant(signs: _Signs) -> Numbers | None:
    val = fmean(signs.val[-signs.tail :])
    return signs.end if signs.fit > WORSE or (signs.fit > POOR and val > VAL_WORSE) else None


def _still_improving(signs: _Signs) -> Numbers | None:
    """The loss may have flattened while the ranking of the rare class goes on getting better."""
    if not signs.best_is_late or signs.rise < RISING:
        return None
    quality = {"val_average_precision": signs.quality[-1], "rise_per_epoch": signs.rise}
    return {**quality, **signs.end}


def _decayed_too_early(signs: _Signs) -> Numbers | None:
    """The loss stands still, but only because the learning rate has run out."""
    if signs.fit <= POOR or signs.rate_left >= LOW_RATE or signs.fall_at_high_rate <= STILL_FALLING:
        return None
    rates = {"max_learning_rate": max(signs.rates), "last_learning_rate": signs.rates[-1]}
    return {"fall_per_epoch": signs.fall_at_high_rate, **rates, **signs.end}


def _underfitting(signs: _Signs) -> Numbers | None:
    return signs.end if signs.fit > POOR else None


def _not_learned(signs: _Signs) -> Numbers | None:
    """By a model that has the capacity to learn each image by heart."""
    ample = signs.weights_per_image
    if signs.fit <= POOR or ample is None or ample < AMPLE:
        return None
    return {"weights_per_image": ample, **signs.end}


_RULES: dict[str, Callable[[_Signs], Numbers | None]] = {  # the first that gives numbers holds
    "learning_rate_too_high": _too_high,
    "learning_rate_too_low": _too_low,
    "overfitting": _overfitting,
    "worse_than_constant": _worse_than_constant,
    "not_converged": _not_converged,
    "still_improving": _still_improving,
    "learning_rate_decayed_too_early": _decayed_too_early,
    "not_learned": _not_learned,
    "underfitting": _underfitting,
}
CAUSES = ("diverged", *_RULES, "converged")
