"""The ``train`` section of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.core.params import Section

Rate = Annotated[float, Field(gt=0, le=10)]
Share = Annotated[float, Field(ge=0, lt=1)]


class ModelParams(Section):
    """``small_resnet``, built from width and blocks, or any torchvision classifier by its name.

    ``width`` is the number of channels of the first stage, ``blocks`` the residual blocks of each
    stage (each halves the side and doubles the channels); both are null for a torchvision model.
    """

    name: str
    width: Annotated[int, Field(ge=1, le=1024)] | None
    blocks: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=1)] | None
    dropout: Share

    @model_validator(mode="after")
    def _complete(self) -> "ModelParams":
        own = self.name == "small_resnet"
        given = (self.width is not None, self.blocks is not None)
        if given != (own, own):
            state = "need numbers" if own else "must be null"
            raise ValueError(f"width and blocks {state} for model '{self.name}'")
        return self


class OptimizerParams(Section):
    """``weight_decay`` is decoupled from the gradient for both, and spares biases and norms.

    ``momentum`` is SGD's (Nesterov), and the first moment's decay for AdamW.
    """

    name: Literal["adamw", "sgd"]
    learning_rate: Rate
    momentum: Share
    weight_decay: Annotated[float, Field(ge=0, le=1)]


class ScheduleParams(Section):
    """Linear warm-up, then constant, cosine or exponential decay to ``final_share`` of the rate."""

    name: Literal["constant", "cosine", "exponential"]
    warmup_epochs: Annotated[float, Field(ge=0)]
    final_share: Annotated[float, Field(gt=0, le=1)]


class LossParams(Section):
    """``logit_adjusted`` is the balanced softmax; ``cross_entropy`` leaves the prior in the
    scores.
    """

    name: Literal["logit_adjusted", "cross_entropy"]
    label_smoothing: Share


class BatchAugmentParams(Section):
    """Exact, cheap augmentation of every training batch: no pixel is interpolated."""

    flip: bool
    rotate90: bool
    shift: Annotated[int, Field(ge=0)]


class EarlyStoppingParams(Section):
    """Stop after ``patience`` epochs without ``min_delta`` more validation average precision."""

    patience: Annotated[int, Field(ge=1)]
    min_delta: Annotated[float, Field(ge=0, lt=1)]


class TrainParams(Section):
    """How the model is fitted.

    ``max_per_class`` bounds the images of a class that one epoch shows (a new draw every epoch;
    null: all of them). ``threads`` is the number of CPU threads (null: all cores); the last bits of
    the weights depend on it.
    """

    seed: Annotated[int, Field(ge=0)]
    model: ModelParams
    epochs: Annotated[int, Field(ge=1, le=100_000)]
    batch_size: Annotated[int, Field(ge=2, le=65_536)]
    max_per_class: Annotated[int, Field(ge=1)] | None
    optimizer: OptimizerParams
    schedule: ScheduleParams
    loss: LossParams
    batch_augment: BatchAugmentParams
    gradient_clip: Annotated[float, Field(gt=0)] | None
    early_stopping: EarlyStoppingParams | None
    precision: Literal["auto", "float32", "bfloat16"]
    threads: Annotated[int, Field(ge=1, le=1024)] | None

    @model_validator(mode="after")
    def _consistent(self) -> "TrainParams":
        if self.schedule.warmup_epochs >= self.epochs:
            raise ValueError(
                f"schedule.warmup_epochs ({self.schedule.warmup_epochs:g}) must be less than "
                f"epochs ({self.epochs})"
            )
        return self
