"""One training, and how it is kept: what can be stopped and resumed."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from torch import Tensor

from raresight import pipeline
from raresight.pipeline.core import seeds
from raresight.pipeline.core.files import MANIFEST, sha256, write_json
from raresight.pipeline.core.provenance import digests
from raresight.pipeline.core.space import require_room
from raresight.pipeline.models import device as devices
from raresight.pipeline.models.finetuning import freeze
from raresight.pipeline.models.pretrained import Pretrained
from raresight.pipeline.runtime.errors import DataError
from raresight.pipeline.runtime.processes import stop_when_it_suits
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.training.classifier_retraining import joined, retrainer
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.diagnosis.diagnosis import stagnates
from raresight.pipeline.training.diagnosis.divergence import Divergence, LossDivergedError
from raresight.pipeline.training.diagnosis.history import Epoch, History, curve_rows
from raresight.pipeline.training.initialization import fresh
from raresight.pipeline.training.inputs import Inputs
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.pretraining import first_phase
from raresight.pipeline.training.runtime import resume
from raresight.pipeline.training.runtime.distributed import ProcessGroup
from raresight.pipeline.training.runtime.memory import shortage_explained
from raresight.pipeline.training.runtime.paths import FAILURE, RESUME
from raresight.pipeline.training.runtime.sync_batch_norm import synchronize
from raresight.pipeline.training.start import begin, beginning
from raresight.pipeline.training.state import KeepState, OnBatch, OnEpochs, OnPhase, State
from raresight.pipeline.wording import training as wording

INPUTS = {"generated": "generate", "augmented": "augment", "splits": "split"}
OPTIONAL_INPUTS = {
    "cleaning": "clean",
    "enlarged": "enlarge",
}  # a project may have been made without the stages
Resume = Literal["auto", "require", "never"]
Weights = Mapping[str, Tensor]
AnyTrainer = TypeVar("AnyTrainer", bound=Trainer)
_COPIES = 4  # of the weights in a checkpoint: themselves, the best epoch's, two of an optimizer
# What the weights depend on: not runtime/ and wording/, so that a half-finished training outlives a
# reworded message.
CODE = ("cleaning", "core", "dataset", "splitting", "models", "training", "stages/train.py")


def there(data: Path) -> dict[str, str]:
    """The inputs of a training below ``data``, and the stage of each; optional ones if they are."""
    optional = {name: stage for name, stage in OPTIONAL_INPUTS.items() if (data / name).is_dir()}
    return INPUTS | optional


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a training with params of its own: where it is kept, and how it begins from what
    the phase before it keeps. ``name`` is empty for the recipe itself.
    """

    name: str
    folder: Path
    begin: Callable[[Trainer], Trainer]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: its trainer, and the checkpoint that it resumes from when it was stopped.

    ``replicate`` counts from 1; the first has the seed of params.yaml, the others seeds of it.
    ``stop_after`` is the epoch that it ends with, None for the last one of its schedule.
    """

    params: TrainParams
    replicate: int
    inputs: Inputs
    data: Path
    resume: Resume
    group: ProcessGroup
    stop_after: int | None = None

    def start(self) -> Trainer:
        """A new trainer of the first phase, or one that has what was kept of it."""
        trainer = self.trainer() if self.inputs.pretrain is None else self._pretrainer()
        if self.group.is_main_process:
            weights = sum(one.nbytes for one in trainer.model.state_dict().values())
            require_room(self.data / RESUME, _COPIES * weights)
            (self.data / RESUME / FAILURE).unlink(missing_ok=True)
        self._resume(trainer, self.phases[0].folder, required=self.resume == "require")
        return trainer

    def fit(
        self,
        trainer: Trainer,
        on_batch: OnBatch = lambda images, epoch: None,
        on_epochs: OnEpochs = lambda rows: None,
        on_phase: OnPhase = lambda name, trainer: None,
    ) -> tuple[Trainer, History]:
        """Run what is left of the training, and keep it whenever it could be stopped.

        ``on_epochs`` is told all rows of the curves after each epoch, ``on_phase`` what a phase is
        called before it goes on. Returns the trainer of the last phase, and the history of all.
        """
        batch, device, history = self.params.batch_size, self.inputs.device, History()
        with stop_when_it_suits() as told, shortage_explained(batch, device, trainer.attempt):
            try:
                for number, phase in enumerate(self.phases):
                    if number:
                        trainer = phase.begin(trainer)
                        trainer.epochs_before = len(history.epochs)
                        self._resume(trainer, phase.folder, required=False)
                    on_phase(phase.name, trainer)
                    keep = self._keeper(trainer, phase.folder, on_epochs, before=history.epochs)
                    found = trainer.fit(on_batch, keep=keep, stop_requested=told)
                    history = joined(history, found)
                return trainer, history
            except LossDivergedError as error:
                self._note(trainer, error.divergence)
                raise

    def _keeper(
        self, trainer: Trainer, folder: Path, tell: OnEpochs, before: Sequence[Epoch] = ()
    ) -> KeepState:
        key = self._key(trainer)

        def keep(state: State) -> None:
            if not self.group.is_main_process:
                return
            resume.save(folder, state, key)
            epochs, chance = trainer.history.epochs, trainer.chance_loss()
            tell(curve_rows([*before, *(epoch.after(len(before)) for epoch in epochs)]))
            if stagnates(epochs, chance=chance):
                loss = epochs[-1].train_loss
                say(wording.stagnates(epochs=len(epochs), loss=loss, chance_loss=chance))

        return keep

    def _note(self, trainer: Trainer, divergence: Divergence) -> None:
        """Leave what `raresight diagnose` needs: the training's outputs will not be written."""
        if self.group.is_main_process:
            (self.data / RESUME).mkdir(exist_ok=True)
            note = {
                "divergence": divergence.numbers,
                "replicate": self.replicate,
                "curves": curve_rows(trainer.history.epochs),
                "chance_loss": trainer.chance_loss(),
                "steps_per_epoch": trainer.steps_per_epoch,
            }
            write_json(self.data / RESUME / FAILURE, note)

    @property
    def folder(self) -> Path:
        """Where the checkpoint is: outside what DVC clears before a stage runs.

        Those of a first and of a second stage lie beside it, their names ending in ``-a`` and
        ``-b``; that of the phase before then holds what a phase begins from.
        """
        return self.data / RESUME / f"replicate-{self.replicate}"

    @property
    def phases(self) -> Sequence[Phase]:
        """What the training is made of, in its order."""
        first, second = (self.folder.with_name(f"{self.folder.name}-{end}") for end in "ab")
        found = []
        if self.inputs.pretrain is not None:
            found.append(Phase(name="pretrain", folder=first, begin=lambda _: self._pretrainer()))
        found.append(Phase(name="", folder=self.folder, begin=self._recipe))
        if self.params.classifier_retraining is not None:
            found.append(Phase(name="last layer", folder=second, begin=retrainer))
        return found

    def trainer(self, weights: Weights | None = None) -> Trainer:
        """A trainer of the recipe that has not begun; it begins from ``weights`` where given."""
        return self.trainer_by(Trainer, weights)

    def trainer_by(
        self, make: Callable[..., AnyTrainer], weights: Weights | None = None
    ) -> AnyTrainer:
        """The same from another class, called as :class:`Trainer` is."""
        made = self._made(make, self.params, self.inputs.train, weights)
        made.last_epoch = self.stop_after or self.params.epochs
        return made

    def _pretrainer(self) -> Trainer:
        feed = self.inputs.pretrain
        if feed is None:
            raise ValueError("there are no images for a first phase")
        return self._made(Trainer, first_phase(self.params), feed, None)

    def _recipe(self, before: Trainer) -> Trainer:
        """The trainer of the recipe, which begins from what a first phase keeps."""
        return self.trainer(before.history.weights)

    def _made(
        self,
        make: Callable[..., AnyTrainer],
        params: TrainParams,
        feed: Feed,
        weights: Weights | None,
    ) -> AnyTrainer:
        inputs, classes = self.inputs, len(self.inputs.classes)
        model = fresh(
            self.params,
            classes=classes,
            mean=inputs.mean,
            std=inputs.std,
            seed=seeds.integer(self.params.seed, "initial weights", 0),
            images=feed.images(np.arange(min(64, len(feed)))),
        )
        if self.weights is not None:
            begin(model, self.weights, inputs.classes)
        if weights is not None:
            model.load_state_dict(weights)
        freeze(model, self.params.model.frozen, classes)
        if self.group.size > 1:
            synchronize(model)
        return make(
            model,
            params,
            feed,
            inputs.val,
            classes=classes,
            positive=None if inputs.positive is None else inputs.classes.index(inputs.positive),
            device=inputs.device,
            group=self.group,
        )

    @cached_property
    def weights(self) -> Pretrained | None:
        """What the training begins from, where it is not drawn."""
        return beginning(self.params)

    def _key(self, trainer: Trainer) -> dict[str, Any]:
        """All that must be the same for a checkpoint to lead to the weights it would have."""
        root = Path(pipeline.__file__).parent
        return {
            "code": digests(root, *(root / name for name in CODE)),
            "packages": foreign_code(self.params),
            "train": self.params.model_dump(mode="json"),
            "data": {name: sha256(self.data / name / MANIFEST) for name in there(self.data)},
            "machine": fingerprint(trainer),
            "weights": self.weights and (self.weights.sha256 or self.weights.origin),
        }

    def _resume(self, trainer: Trainer, folder: Path, *, required: bool) -> None:
        kept = None if self.resume == "never" else resume.load(folder)
        if kept is None:
            if required:
                raise DataError(wording.cannot_resume([f"{folder} does not exist"]))
            return
        state, key = kept
        with resume.taken_up(folder):
            reasons = [*resume.differences(key, self._key(trainer))]
        if reasons and required:
            raise DataError(wording.cannot_resume(reasons))
        if reasons:
            self._say(wording.not_resumed(folder, reasons))
            return
        with resume.taken_up(folder):
            trainer.load_state(state)
        at = trainer.progress
        self._say(wording.resumed(folder, epoch=at.epoch, step=at.step))

    def _say(self, text: str) -> None:
        if self.group.is_main_process:
            say(text)


def later(resume: Resume) -> Resume:
    """How a training resumes that had perhaps not begun when one before it was stopped."""
    return "auto" if resume == "require" else resume


def foreign_code(params: TrainParams) -> dict[str, str]:
    """The sha256 of each module of another package that the model and the loss come from."""
    modules = {type(part).__module__ for part in (params.model, params.loss)}
    ours = pipeline.__name__.partition(".")[0]
    return {
        name: sha256(Path(file))
        for name in sorted(modules)
        if name.partition(".")[0] != ours and (file := sys.modules[name].__file__)
    }


def fingerprint(trainer: Trainer) -> dict[str, str | int]:
    """What the last bits of the weights depend on besides code, params and data."""
    return devices.fingerprint(
        trainer.device, bfloat16=trainer.bfloat16, processes=trainer.group.size
    )
