"""The ``train`` section of params.yaml, one file a subject."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from raresight.pipeline.core.params import Section
from raresight.pipeline.core.ranges import Fraction, Seed
from raresight.pipeline.models.params import Initialization, ModelParams, SmallCNNParams
from raresight.pipeline.training.data.samplers import SamplerParams, Shuffled
from raresight.pipeline.training.optim.losses import LogitAdjusted, LossParams, Weighted
from raresight.pipeline.training.optim.optimizers import AdamW, OptimizerParams
from raresight.pipeline.training.optim.schedules import Cosine, OnPlateau, ScheduleParams
from raresight.pipeline.training.params.batches import (
    BatchAugmentParams,
    MixingParams,
    ValidationParams,
)
from raresight.pipeline.training.params.updates import (
    AverageParams,
    EarlyStoppingParams,
    PretrainParams,
    RegularizationParams,
    RetrainingParams,
)


class TrainParams(Section):
    """How the model is fitted.

    ``source_weights`` are the shares of an epoch of the sources that they name, in each class; the
    other sources share the rest by their images. ``pretrain`` is a first phase on some sources,
    whose images the rest of the training then does without. ``num_seeds`` trainings are run, which
    differ by their seed alone; the first one's model is the model. ``start`` is a folder with a
    model of ours (such as ``data/model`` of another project), whose weights the training begins
    from. ``compile`` lets torch.compile make kernels for the net: it takes minutes and a C++
    compiler. ``checkpoint`` says whose weights are saved: the best
    epoch's (by validation average precision) or the last one's. ``folds`` trains that often on
    train and val together without one part of them, and scores that part (cross-validation); the
    model then learns from both, for as many epochs as rank those out-of-fold scores best, and
    nothing stops it earlier. ``shuffle_window`` shuffles so many MiB of images at a time, for
    sets that do not fit into memory (null: all). ``threads`` is the number of CPU threads
    (null: all cores); the last bits of the weights depend on it.
    """

    seed: Seed = 1
    num_seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    source_weights: dict[str, Fraction] | None = None
    pretrain: PretrainParams | None = None
    folds: Annotated[int, Field(ge=2, le=100)] | None = None
    model: ModelParams = SmallCNNParams()
    start: str | None = None
    initialization: Initialization = "he"
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 12
    batch_size: Annotated[int, Field(ge=2, le=65_536)] = 128
    sampler: SamplerParams = Shuffled()
    shuffle_window: Annotated[int, Field(ge=4, le=100_000_000)] | None = None
    validation: ValidationParams = ValidationParams()
    batch_augment: BatchAugmentParams = BatchAugmentParams()
    mixing: MixingParams | None = None
    loss: LossParams = LogitAdjusted()
    optimizer: OptimizerParams = AdamW()
    schedule: ScheduleParams = Cosine()
    regularization: RegularizationParams = RegularizationParams()
    gradient_clip: Annotated[float, Field(gt=0, le=1e6)] | None = 1.0
    ema: AverageParams | None = None
    early_stopping: EarlyStoppingParams | None = EarlyStoppingParams()
    checkpoint: Literal["best", "last"] = "best"
    classifier_retraining: RetrainingParams | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: bool = False
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        return () if self.start is None else (self.start,)

    @property
    def pretrain_epochs(self) -> int:
        """The epochs that come before those of the recipe."""
        return 0 if self.pretrain is None else self.pretrain.epochs

    @model_validator(mode="after")
    def _consistent(self) -> "TrainParams":
        problem = self.schedule.contradiction(self.epochs) or self._never() or self._weights()
        if problem:
            raise ValueError(problem)
        return self

    def _weights(self) -> str | None:
        total = sum((self.source_weights or {}).values())
        if total > 1 + 1e-9:
            return f"source_weights are shares of an epoch and sum to {total:g}: 1 is the most"
        first = () if self.pretrain is None else self.pretrain.sources
        if both := sorted(set(self.source_weights or {}) & set(first)):
            return (
                f"pretrain.sources and source_weights both name '{both[0]}': images that the first "
                "phase learns from have no share of the epochs after it. Leave it out of one"
            )
        return None

    def _never(self) -> str | None:
        """Why something that is asked for would never happen, both keys named."""
        if self.start is not None and self.model.begins_trained:
            return "start and model.weights are both what to begin from: set one of them to null"
        if (
            self.start is not None or self.model.begins_trained
        ) and "initialization" in self.model_fields_set:
            return (
                f"initialization ('{self.initialization}') draws weights, and the training begins "
                "from others: leave it out"
            )
        weights = self.loss.class_weights if isinstance(self.loss, Weighted) else None
        if weights is not None and weights.from_epoch >= self.epochs:
            return (
                f"loss.class_weights.from_epoch ({weights.from_epoch}) must be less than epochs "
                f"({self.epochs}): the weights would never be used"
            )
        if self.classifier_retraining is not None and not self.model.trains_features:
            return (
                "classifier_retraining trains the last layer a second time, and model.name "
                f"'{self.model.name}' has no other: set classifier_retraining to null"
            )
        stopping, schedule = self.early_stopping, self.schedule
        if schedule.cycles_momentum and not self.optimizer.momentum:
            return (
                "schedule.momentum cycles what optimizer.momentum (0) turns off: set schedule."
                "momentum to null, or optimizer.momentum above 0"
            )
        if (
            stopping is not None
            and isinstance(schedule, OnPlateau)
            and schedule.monitor == "val_average_precision"
            and schedule.patience >= stopping.patience
        ):
            return (
                f"schedule.patience ({schedule.patience}) must be less than "
                f"early_stopping.patience ({stopping.patience}): training would stop before the "
                "rate is ever lowered"
            )
        return None


def warn(params: TrainParams, file: Path) -> None:
    """Say every doubt about the train section of ``file``."""
    for doubt in doubts(params):
        logging.getLogger(__name__).warning("%s: %s", file, doubt)


def doubts(params: TrainParams) -> Iterator[str]:
    """What is allowed but hardly meant, a sentence each."""
    loss, sampler = params.loss, params.sampler
    if sampler.evens_out and loss.implied.corrects_prior:
        yield (
            f"train.sampler.name '{sampler.name}' already evens out how often each class is shown, "
            f"and train.loss.name '{loss.name}' corrects for what is left of the difference: "
            "with 'balanced' nothing is, and the loss is plain. Use one of the two."
        )
    if params.mixing is not None and params.shuffle_window is not None:
        yield (
            "train.mixing draws every image's partner from the whole epoch, so that half of what "
            "is read does not follow train.shuffle_window. Without mixing, all of it does."
        )
    if params.regularization.weight_decay and params.regularization.l2:
        yield (
            "train.regularization.weight_decay and train.regularization.l2 both pull weights to "
            "0: for SGD they are the same thing twice. Use one of the two."
        )
