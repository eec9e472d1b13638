"""What a training's curves say about it: what happened, by which evidence, and what to change.

The rules and their limits were set on the trainings of ``python -m benchmarks.diagnosis --rules``,
whose causes are known, and judged on others (docs/diagnosis.md). Losses are measured against
``chance``, the loss of the best answer that is the same for every image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from raresight.pipeline.training.diagnosis.history import Epoch

CAUSES = {
    "converged": "nothing; more images, or a larger model, could still raise the quality.",
    "overfitting": (
        "learn from more images (augment.copies, generate), augment the batches "
        "(train.batch_augment), regularise more (train.model.dropout, "
        "train.regularization.weight_decay), or stop early (train.early_stopping)."
    ),
    "underfitting": (
        "give the model more capacity (train.model.width, train.model.blocks), or regularise less "
        "(train.model.dropout, train.regularization, train.batch_augment)."
    ),
    "diverged": (
        "lower train.optimizer.learning_rate (`raresight find-lr` suggests one), set "
        "train.gradient_clip: 1.0, or warm up longer (train.schedule.warmup)."
    ),
    "rate too high": (
        "lower train.optimizer.learning_rate, three- to tenfold at first; `raresight find-lr` "
        "suggests one."
    ),
    "rate too low": (
        "raise train.optimizer.learning_rate, tenfold at first; `raresight find-lr` suggests one."
    ),
    "not finished": "train longer: raise train.epochs (and train.early_stopping.patience).",
}

FIT = 0.12  # share of the chance loss below which nothing is left to gain by training longer
POOR = 0.35  # above which the training images are not learned
LEAP = 0.15  # relative weight change of an epoch over the square root of its steps
CREEP = 0.003
FEW_EPOCHS = 5
STILL_FALLING = 0.02  # of the chance loss an epoch


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One of ``CAUSES``, the numbers that speak for it, and what to change in params.yaml."""

    cause: str
    evidence: str
    advice: str

    def __str__(self) -> str:
        return f"{self.cause}: {self.evidence} To do: {self.advice}"


def diagnose(
    epochs: Sequence[Epoch], *, chance: float, steps_per_epoch: int, failure: str | None = None
) -> Diagnosis:
    """Judge a training by its curves; ``failure`` is why it was broken off, if it was."""
    if failure is not None:
        return _as("diverged", failure)
    signs = _Signs(epochs, chance=chance, steps=steps_per_epoch)
    for cause, rule in _RULES.items():
        if evidence := rule(signs):
            return _as(cause, evidence)
    return _as("converged", signs.end)


def stagnation(epochs: Sequence[Epoch], *, chance: float, after: int = 5) -> str | None:
    """Said once, ``after`` epochs into a training that has not begun to learn; else None."""
    if len(epochs) != after or min(epoch.train_loss for epoch in epochs) < 0.97 * chance:
        return None
    return (
        f"training stagnates: after {after} epochs its loss is {epochs[-1].train_loss:.3g}, as a "
        f"guess's is ({chance:.3g}). The learning rate may be far too high or too low "
        "(`raresight find-lr`), or the labels may have nothing to do with the images."
    )


def _as(cause: str, evidence: str) -> Diagnosis:
    return Diagnosis(cause=cause, evidence=evidence, advice=CAUSES[cause])


class _Signs:
    """The curves in numbers that mean the same for every task."""

    def __init__(self, epochs: Sequence[Epoch], *, chance: float, steps: int):
        self.epochs = epochs
        self.train = [epoch.train_loss / chance for epoch in epochs]
        self.val = [epoch.val_loss / chance for epoch in epochs]
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
    def end(self) -> str:
        last = self.epochs[-1]
        return (
            f"after {len(self.epochs)} epochs the training loss is {last.train_loss:.3g}, the "
            f"validation loss {last.val_loss:.3g}, {self.train[-1]:.0%} and {self.val[-1]:.0%} of "
            "a guess's."
        )


def _too_high(signs: _Signs) -> str | None:
    if max(signs.moves[:2]) > LEAP:  # nothing is left of the weights that it began with
        return (
            f"in epoch 1 the weights moved {signs.epochs[0].weight_change:.2g} times their length; "
            f"the training loss was {signs.train[0]:.2f} times a guess's then, and the validation "
            f"loss at most {max(signs.val):.2g} times."
        )
    return None


def _too_low(signs: _Signs) -> str | None:
    if max(signs.moves) < CREEP and signs.fit > 0.7:
        moved = max(epoch.weight_change for epoch in signs.epochs)
        return (
            f"no epoch moved the weights by more than {moved:.2g} of their length, and {signs.end}"
        )
    return None


def _overfitting(signs: _Signs) -> str | None:
    end, low = fmean(signs.val[-signs.tail :]), signs.val[signs.lowest]
    rose = end > 1.15 * low and end - low > 0.05 and end > 2 * signs.fit and end > 0.25
    apart = signs.fit < 0.05 and end > 0.08 and end > 8 * signs.fit
    if rose or apart:
        best, last = signs.epochs[signs.lowest], signs.epochs[-1]
        return (
            f"the validation loss was lowest in epoch {best.epoch} ({best.val_loss:.3g}) and is "
            f"{last.val_loss:.3g} at the end; the training loss fell to {last.train_loss:.3g}."
        )
    return None


def _not_finished(signs: _Signs) -> str | None:
    few = len(signs.epochs) < FEW_EPOCHS
    if signs.fit > FIT and (few or signs.fall > STILL_FALLING):
        falling = f"the training loss still fell by {signs.fall:.1%} of a guess's an epoch; "
        return f"{falling if signs.fall > 0 else ''}{signs.end}"
    return None


def _underfitting(signs: _Signs) -> str | None:
    if signs.fit > POOR:
        return f"the loss has stopped falling, in training as in validation: {signs.end}"
    return None


_RULES = {
    "rate too high": _too_high,
    "rate too low": _too_low,
    "overfitting": _overfitting,
    "not finished": _not_finished,
    "underfitting": _underfitting,
}
