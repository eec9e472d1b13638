"""What a training says while it runs: where it resumes, that it stops, diverges or stagnates."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from raresight.pipeline.runtime.errors import listing
from raresight.pipeline.wording.diagnosis import loss_read


def resumed(folder: Path, *, epoch: int, step: int) -> str:
    return f"train: resumed from epoch {epoch}, step {step} ({folder})"


def not_resumed(folder: Path, reasons: Iterable[str]) -> str:
    """``reasons`` say in what the checkpoint's training differs from this one."""
    return (
        f"train: starts from the beginning; the checkpoint in {folder} is of another training:\n"
        f"{listing(reasons, 5)}"
    )


def cannot_resume(reasons: Iterable[str]) -> str:
    return (
        f"no training can be resumed:\n{listing(reasons)}\n"
        "Put it back, or leave out `--resume require` to start from the beginning."
    )


def stopped(*, epochs: int, steps: int) -> str:
    return (
        f"stop requested: a checkpoint holds {epochs} epochs and {steps} steps of the next. "
        "Start again to resume from there."
    )


def diverged(*, epoch: int, loss: float | None, learning_rate: float, base_rate: float) -> str:
    """``epoch`` counts from 1; ``base_rate`` is what params.yaml says."""
    return (
        f"training diverged in epoch {epoch}: the loss is {loss_read(loss)} at learning rate "
        f"{learning_rate:g}. Lower train.optimizer.learning_rate (try {base_rate / 10:g}), "
        "lengthen train.schedule.warmup.epochs, or set train.gradient_clip: 1.0."
    )


def stagnates(*, epochs: int, loss: float, chance_loss: float) -> str:
    return (
        f"train: stagnates: after {epochs} epochs the training loss is {loss:.3g}, no better than "
        f"the constant-prediction loss ({chance_loss:.3g}). The learning rate may be far too high "
        "or too low (`raresight find-lr`), or the labels may have nothing to do with the images."
    )


def cross_validated(found: Mapping[str, Any], *, positive: str | None) -> str:
    """What ``folds`` of train's results.json says; ``positive`` is the class it is about."""
    held = f"{found['images']:,} images"
    if positive is not None:
        held = f"{held}, {found['per_class'][positive]:,} of them '{positive}',"
    epoch, chosen = found["epoch"], found["epoch_is"] == "chosen"
    ranked = f"best after epoch {epoch}" if chosen else f"after the last epoch, {epoch}"
    return (
        f"{found['folds']} folds scored {held} without having learned from them, {ranked}; "
        "the model was trained for as many epochs on all of them"
    )
