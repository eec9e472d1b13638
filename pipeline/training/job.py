"""What a training works with, and how it is kept: the train stage's inputs and its jobs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from raresight import pipeline
from raresight.pipeline.core import seeds
from raresight.pipeline.core.files import MANIFEST, sha256, write_json
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.models import device as devices
from raresight.pipeline.runtime.errors import DataError, DivergedError, ParamsError, listing
from raresight.pipeline.runtime.processes import stop_when_it_suits
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.splitting.table import read_splits
from raresight.pipeline.training.classifier_retraining import joined, retrainer
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.diagnosis.diagnosis import stagnation
from raresight.pipeline.training.diagnosis.history import Result, curve_rows
from raresight.pipeline.training.initialization import fresh
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime import resume
from raresight.pipeline.training.runtime.distributed import Team
from raresight.pipeline.training.runtime.memory import shortage_explained
from raresight.pipeline.training.runtime.paths import FAILURE, RESUME
from raresight.pipeline.training.runtime.sync_batch_norm import synchronize

INPUTS = {"generated": "generate", "augmented": "augment", "splits": "split"}
_CODE = ("core", "dataset", "splitting", "models", "training", "stages/train.py")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What is learned from and judged on, where the arithmetic is done."""

    train: Feed
    val: Feed
    classes: tuple[str, ...]
    positive: str | None
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    device: torch.device


def open_inputs(params_file: Path, params: TrainParams, data: Path, device: torch.device) -> Inputs:
    """Everything that training reads from ``data``.

    Raises DataError when a split leaves nothing, ParamsError when a param does not fit the images.
    """
    originals, copies = Dataset(data / "generated"), Dataset(data / "augmented")
    if params.batch_augment.shift >= min(originals.image_shape[:2]):
        raise ParamsError(
            f"{params_file}: train.batch_augment.shift: must be less than the image's side, "
            f"{min(originals.image_shape[:2])}. Got {params.batch_augment.shift}."
        )
    splits = read_splits(data / "splits")
    shards = [*originals.images.shards, *copies.images.shards]
    targets = np.concatenate((originals.targets, copies.targets))
    train_originals = splits.rows(originals, "train")
    rows = np.concatenate((train_originals, splits.rows(copies, "train") + len(originals)))
    val = splits.rows(originals, "val")
    if not len(rows) or not len(val):
        raise DataError("data/splits leaves no image for train or val. Run `raresight split`.")
    mean, std = _pixel_statistics(originals, train_originals)
    return Inputs(
        train=Feed(Pixels(shards, originals.image_shape, mapped=True), rows, targets[rows], device),
        val=Feed(originals.images, val, originals.targets[val], device),
        classes=originals.classes,
        positive=originals.positive,
        image_shape=originals.image_shape,
        mean=mean,
        std=std,
        device=device,
    )


def _pixel_statistics(data: Dataset, rows: np.ndarray, limit: int = 4096) -> tuple:
    """Mean and deviation per channel over (at most ``limit`` evenly spaced) training images."""
    chosen = rows[:: max(1, len(rows) // limit)][:limit]
    pixels = data.images.take(chosen).reshape(-1, data.image_shape[2])
    counts = np.stack([np.bincount(channel, minlength=256) for channel in pixels.T])
    levels = np.arange(256)
    mean = counts @ levels / len(pixels)
    std = np.sqrt(counts @ levels**2 / len(pixels) - mean**2)
    return tuple(mean.tolist()), tuple(np.maximum(std, 1.0).tolist())


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: its trainer, and the checkpoint that it is stopped and gone on with.

    ``replicate`` counts from 1; the first has the seed of params.yaml, the others seeds of it.
    """

    params: TrainParams
    replicate: int
    inputs: Inputs
    data: Path
    continuing: str
    team: Team

    def start(self) -> Trainer:
        """A new trainer, or one that has what was kept of this training."""
        trainer = self.trainer()
        if self.team.leads:
            (self.data / RESUME / FAILURE).unlink(missing_ok=True)
        self._go_on(trainer, self.folder, required=self.continuing == "require")
        return trainer

    def fit(
        self, trainer: Trainer, on_batch: Callable[[int, int], None] = lambda images, epoch: None
    ) -> tuple[Trainer, Result]:
        """Run what is left of the training, and keep it whenever it could be stopped.

        Returns the trainer of the last stage, and the result of all of them.
        """
        batch, device = self.params.batch_size, self.inputs.device
        with stop_when_it_suits() as told, shortage_explained(batch, device, trainer.attempt):
            try:
                keep = self._keeper(trainer, self.folder)
                result = trainer.fit(on_batch, keep=keep, told_to_stop=told)
                if self.params.classifier_retraining is None:
                    return trainer, result
                second, folder = retrainer(trainer), self.folder.with_name(f"{self.folder.name}-b")
                self._go_on(second, folder, required=False)
                keep = self._keeper(second, folder)
                return second, joined(result, second.fit(on_batch, keep=keep, told_to_stop=told))
            except DivergedError as error:
                self._note(trainer, str(error))
                raise

    def _keeper(self, trainer: Trainer, folder: Path) -> Callable[[dict[str, Any]], None]:
        key, chance = self._key(trainer), trainer.chance

        def keep(state: dict[str, Any]) -> None:
            if self.team.leads:
                resume.save(folder, state, key)
                if hint := stagnation(trainer.result.epochs, chance=chance):
                    say(f"train: {hint}")

        return keep

    def _note(self, trainer: Trainer, failure: str) -> None:
        """Leave what `raresight diagnose` needs: the training's outputs will not be written."""
        if self.team.leads:
            (self.data / RESUME).mkdir(exist_ok=True)
            note = {
                "failure": failure,
                "replicate": self.replicate,
                "curves": curve_rows(trainer.result.epochs),
                "chance_loss": trainer.chance,
                "steps_per_epoch": trainer.steps_per_epoch,
            }
            write_json(self.data / RESUME / FAILURE, note)

    @property
    def folder(self) -> Path:
        """Where the checkpoint is: outside what DVC clears before a stage runs.

        That of a second stage lies beside it, its name ending in ``-b``; the first one's then holds
        what the second begins from.
        """
        return self.data / RESUME / f"replicate-{self.replicate}"

    def trainer(self, kind: type[Trainer] = Trainer, **options: Any) -> Trainer:
        """A trainer that has not begun."""
        inputs = self.inputs
        model = fresh(
            self.params,
            classes=len(inputs.classes),
            mean=inputs.mean,
            std=inputs.std,
            seed=seeds.integer(self.params.seed, "initial weights", 0),
            images=inputs.train.images(np.arange(min(64, len(inputs.train)))),
        )
        if self.team.size > 1:
            synchronize(model)
        return kind(
            model,
            self.params,
            inputs.train,
            inputs.val,
            classes=len(inputs.classes),
            positive=None if inputs.positive is None else inputs.classes.index(inputs.positive),
            device=inputs.device,
            team=self.team,
            **options,
        )

    def _key(self, trainer: Trainer) -> dict:
        """All that must be the same for a checkpoint to lead to the weights it would have."""
        root = Path(pipeline.__file__).parent
        return {
            "code": resume.digests(root, *(root / name for name in _CODE)),
            "train": self.params.model_dump(mode="json"),
            "data": {name: sha256(self.data / name / MANIFEST) for name in INPUTS},
            "machine": fingerprint(trainer),
        }

    def _go_on(self, trainer: Trainer, folder: Path, *, required: bool) -> None:
        if self.continuing == "never":
            return
        kept = resume.load(folder)
        if kept is None:
            reasons = [f"{folder} does not exist"]
        else:
            reasons = [*resume.differences(kept[1], self._key(trainer))]
        if not reasons:
            trainer.load_state(kept[0])
            if self.team.leads:
                at = trainer.progress
                say(f"train: goes on after epoch {at.epoch}, step {at.step} ({folder})")
        elif required:
            raise DataError(
                f"no training can be gone on with:\n{listing(reasons)}\n"
                "Put it back, or leave out `--continue require` to begin again."
            )
        elif kept is not None and self.team.leads:
            say(f"train: begins again; {folder} is of another training:\n{listing(reasons, 5)}")


def fingerprint(trainer: Trainer) -> dict[str, str | int]:
    """What the last bits of the weights depend on besides code, params and data."""
    return devices.fingerprint(
        trainer.device, bfloat16=trainer.bfloat16, processes=trainer.team.size
    )
