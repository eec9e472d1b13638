"""A training's diagnosis in words: what happened, the numbers that speak for it, what to change.

A diagnosis is a code and numbers (:mod:`raresight.pipeline.training.diagnosis.diagnosis`), and only
here it becomes sentences: the terminal, the page and the train stage's last line all read these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Numbers = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an outcome is called, what to do about it, and the sentence that its numbers make."""

    title: str
    advice: str
    evidence: Callable[[Numbers], str]


@dataclass(frozen=True, kw_only=True)
class Described:
    """A diagnosis in words."""

    title: str
    evidence: str
    advice: str

    def __str__(self) -> str:
        return f"{self.title}: {self.evidence} To do: {self.advice}"


def describe(cause: str, numbers: Numbers) -> Described:
    """The words for a diagnosis as the training wrote it. Raises KeyError for an unknown cause."""
    outcome = OUTCOMES[cause]
    evidence = outcome.evidence(numbers)
    return Described(title=outcome.title, evidence=evidence, advice=outcome.advice)


def loss_read(loss: float | None) -> str:
    """A loss, which is None where it was no finite number."""
    return "not a finite number" if loss is None else f"{loss:.4g}"


def _percent(numbers: Numbers, name: str, decimals: int = 0) -> str:
    return f"{100 * _value(numbers, name):.{decimals}f} %"


def _value(numbers: Numbers, name: str) -> float:
    value = numbers[name]
    if value is None:
        raise KeyError(f"{name} is not known")
    return value


def _losses(numbers: Numbers) -> str:
    return (
        f"after {numbers['epochs']} epochs the training loss is {numbers['train_loss']:.3g} "
        f"({_percent(numbers, 'train_loss_ratio')} of the constant-prediction loss), the "
        f"validation loss {numbers['val_loss']:.3g} ({_percent(numbers, 'val_loss_ratio')})."
    )


def _diverged(numbers: Numbers) -> str:
    return (
        f"in epoch {numbers['epoch']} the loss was {loss_read(numbers['loss'])} at learning rate "
        f"{numbers['learning_rate']:g}."
    )


def _too_high(numbers: Numbers) -> str:
    return (
        f"in epoch 1 the weights moved by {numbers['weight_change']:.2g} times their norm; the "
        f"training loss was {_percent(numbers, 'first_train_loss_ratio')} of the "
        "constant-prediction loss then, the validation loss at most "
        f"{_percent(numbers, 'max_val_loss_ratio')}."
    )


def _too_low(numbers: Numbers) -> str:
    return (
        f"no epoch moved the weights by more than {numbers['max_weight_change']:.2g} of their "
        f"norm; {_losses(numbers)}"
    )


def _overfitting(numbers: Numbers) -> str:
    return (
        f"the validation loss was lowest in epoch {numbers['lowest_val_epoch']} "
        f"({numbers['lowest_val_loss']:.3g}) and is {numbers['val_loss']:.3g} at the end; the "
        f"training loss fell to {numbers['train_loss']:.3g}."
    )


def _not_converged(numbers: Numbers) -> str:
    if _value(numbers, "fall_per_epoch") <= 0:
        return _losses(numbers)
    return (
        f"training loss is {_percent(numbers, 'train_loss_ratio')} of the constant-prediction "
        f"loss and still falling ({_percent(numbers, 'fall_per_epoch', 1)} per epoch); "
        f"after {numbers['epochs']} epochs it is {numbers['train_loss']:.3g}, the validation loss "
        f"{numbers['val_loss']:.3g}."
    )


def _decayed_too_early(numbers: Numbers) -> str:
    return (
        f"the training loss fell by {_percent(numbers, 'fall_per_epoch', 1)} of the "
        "constant-prediction loss per epoch while the learning rate was high, and stopped when the "
        f"rate had fallen from {numbers['max_learning_rate']:.2g} to "
        f"{numbers['last_learning_rate']:.2g}; {_losses(numbers)}"
    )


def _underfitting(numbers: Numbers) -> str:
    return f"the loss has stopped falling, in training as in validation: {_losses(numbers)}"


def _still_improving(numbers: Numbers) -> str:
    return (
        f"the validation average precision, {numbers['val_average_precision']:.3f}, was still "
        f"rising by {_value(numbers, 'rise_per_epoch'):.3f} an epoch at the end; {_losses(numbers)}"
    )


def _not_learned(numbers: Numbers) -> str:
    return (
        "the loss has stopped falling, though the model has "
        f"{numbers['weights_per_image']:,.3g} weights for each image, enough to learn them by "
        f"heart: {_losses(numbers)}"
    )


OUTCOMES = {
    "converged": Outcome(
        title="converged",
        evidence=_losses,
        advice="nothing; more images, or a larger model, could still raise the quality.",
    ),
    "overfitting": Outcome(
        title="overfitting",
        evidence=_overfitting,
        advice=(
            "learn from more images (augment.copies, generate), augment the batches "
            "(train.batch_augment), regularize more (train.model.dropout, "
            "train.regularization.weight_decay), or stop early (train.early_stopping)."
        ),
    ),
    "underfitting": Outcome(
        title="underfitting",
        evidence=_underfitting,
        advice=(
            "give the model more capacity (train.model.width, train.model.blocks), or regularize "
            "less (train.model.dropout, train.regularization, train.batch_augment)."
        ),
    ),
    "diverged": Outcome(
        title="diverged",
        evidence=_diverged,
        advice=(
            "lower train.optimizer.learning_rate (`raresight find-lr` suggests one), set "
            "train.gradient_clip: 1.0, or warm up longer (train.schedule.warmup)."
        ),
    ),
    "learning_rate_too_high": Outcome(
        title="learning rate too high",
        evidence=_too_high,
        advice=(
            "lower train.optimizer.learning_rate, three- to tenfold at first; `raresight find-lr` "
            "suggests one."
        ),
    ),
    "learning_rate_too_low": Outcome(
        title="learning rate too low",
        evidence=_too_low,
        advice=(
            "raise train.optimizer.learning_rate, tenfold at first; `raresight find-lr` suggests "
            "one."
        ),
    ),
    "worse_than_constant": Outcome(
        title="worse than a constant prediction",
        evidence=_losses,
        advice=(
            "do not train on: lower train.optimizer.learning_rate (`raresight find-lr` suggests "
            "one) or warm up longer (train.schedule.warmup), start from a pretrained network "
            "(train.model: {name: resnet18, weights: DEFAULT}), and look at the images and labels "
            "(`raresight inspect`)."
        ),
    ),
    "still_improving": Outcome(
        title="still improving",
        evidence=_still_improving,
        advice="train longer: raise train.epochs (and train.early_stopping.patience).",
    ),
    "not_learned": Outcome(
        title="not learned, but not for want of capacity",
        evidence=_not_learned,
        advice=(
            "start from a pretrained network (train.model: {name: resnet18, weights: DEFAULT}), "
            "learn from more images (generate), regularize less (train.model.dropout, "
            "train.regularization, train.batch_augment), or look whether the labels are right "
            "(`raresight inspect`)."
        ),
    ),
    "learning_rate_decayed_too_early": Outcome(
        title="learning rate decayed too early",
        evidence=_decayed_too_early,
        advice=(
            "train longer: raise train.epochs, which stretches train.schedule, too (and "
            "train.early_stopping.patience)."
        ),
    ),
    "not_converged": Outcome(
        title="not converged",
        evidence=_not_converged,
        advice="train longer: raise train.epochs (and train.early_stopping.patience).",
    ),
}
