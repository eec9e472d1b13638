"""What a training leaves behind: a row an epoch, and the weights of the best one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One row of the curves.

    Losses are per image, on the mix of classes that training shows; the training loss is the mean
    over the epoch's steps, with augmentation and dropout. ``gradient_norm`` is the mean over the
    steps, before clipping. ``weight_change`` is the distance the weights moved in the epoch over
    their length before it. ``images_per_second`` is timing, the only column that differs between
    two runs of the same training.
    """

    epoch: int
    train_loss: float
    val_loss: float
    val_average_precision: float
    val_f1: float
    learning_rate: float
    gradient_norm: float
    weight_change: float
    images_per_second: float

    def after(self, epochs: int) -> "Epoch":
        """The same row where so many epochs came before."""
        return replace(self, epoch=self.epoch + epochs)


@dataclass(kw_only=True)
class History:
    """The curves, and the weights of the epoch that is kept: ``best``, or the last one."""

    epochs: list[Epoch] = field(default_factory=list)
    best: Epoch | None = None
    weights: dict[str, "Tensor"] = field(default_factory=dict)

    @property
    def kept(self) -> Epoch:
        """The epoch whose weights are kept. Raises ValueError before the first one has ended."""
        if self.best is None:
            raise ValueError("no epoch has ended yet")
        return self.best

    @property
    def quality(self) -> list[float]:
        """The validation average precision of each epoch, by which one is chosen."""
        return self.monitored("val_average_precision")

    def monitored(self, name: str | None) -> list[float]:
        """A column of the curves; empty without a name."""
        return [getattr(epoch, name) for epoch in self.epochs] if name else []


def curve_rows(epochs: Sequence[Epoch]) -> list[dict[str, float]]:
    """The curves as rows of a table."""
    return [asdict(epoch) for epoch in epochs]
