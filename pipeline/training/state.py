"""What a training is in the middle of, and who is told of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from raresight.pipeline.training.loop import Trainer

State = dict[str, Any]  # trees of dicts and lists of tensors, numbers and strings
OnBatch = Callable[[int, int], None]  # (images, epoch)
OnEpochs = Callable[[list[dict[str, float]]], None]  # the rows of all epochs that have ended
OnPhase = Callable[[str, "Trainer"], None]  # what a phase is called, and its trainer
KeepState = Callable[[State], None]
StopRequested = Callable[[], bool]


class Stateful(Protocol):
    """What has a state that later steps depend on."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


@dataclass(kw_only=True)
class Progress:
    """How far a training is; an epoch under way counts its steps and sums over its images."""

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    gradient: float = 0.0
    seconds: float = 0.0
    images: int = 0
