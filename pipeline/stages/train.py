"""train: fit the classifier, keep the epoch that ranks validation best."""

import csv
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import pipeline
from pipeline.core import seeds
from pipeline.core.errors import DataError, ParamsError, listing
from pipeline.core.files import MANIFEST, require_verified, sha256, stage_outputs, write_json
from pipeline.core.params import load_section
from pipeline.core.processes import stop_when_it_suits
from pipeline.core.progress import bar, rate_column, say
from pipeline.dataset.reader import Dataset, Pixels
from pipeline.splitting.table import read_splits
from pipeline.training import checkpoint, resume
from pipeline.training import device as devices
from pipeline.training.curves import Result, curve_rows
from pipeline.training.feed import Feed
from pipeline.training.figures import draw_curves
from pipeline.training.loop import Trainer
from pipeline.training.losses import score_prior
from pipeline.training.models import build
from pipeline.training.params import TrainParams, doubts
from pipeline.training.team import Team, team

RESUME = ".resume"
_INPUTS = {"generated": "generate", "augmented": "augment", "splits": "split"}
_CODE = ("core", "dataset", "splitting", "training", "stages/train.py")


def run(params_file: Path, data: Path, *, device: str = "auto", continuing: str = "auto") -> Path:
    """Write data/model, data/training/metrics.json and data/training/curves; return the first.

    A training that was stopped is gone on with where ``continuing`` is ``auto`` and its checkpoint
    is of the same code, params, data and machine, and begun again where it is not; ``require``
    refuses to begin again, ``never`` always does.
    """
    params = load_section(params_file, "train", TrainParams)
    for doubt in doubts(params):
        logging.getLogger(__name__).warning("%s: %s", params_file, doubt)
    for name, stage in _INPUTS.items():
        require_verified(data / name, stage)
    where = devices.resolve(device)
    devices.prepare(where, params.threads)
    with team(where) as us:
        inputs = _open(params_file, params, data, where)
        job = Job(params=params, inputs=inputs, data=data, continuing=continuing, team=us)
        if us.leads:
            _write(job)
        else:
            job.fit(job.start())
    return data / "model"


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


def _open(params_file: Path, params: TrainParams, data: Path, device: torch.device) -> Inputs:
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
        train=Feed(Pixels(shards, originals.image_shape), rows, targets[rows], device),
        val=Feed(originals.images, val, originals.targets[val], device),
        classes=originals.classes,
        positive=originals.positive,
        image_shape=originals.image_shape,
        mean=mean,
        std=std,
        device=device,
    )


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training: its trainer, and the checkpoint that it is stopped and gone on with."""

    params: TrainParams
    inputs: Inputs
    data: Path
    continuing: str
    team: Team

    def start(self) -> Trainer:
        """A new trainer, or one that has what was kept of this training."""
        trainer = self._trainer()
        if self.continuing != "never":
            self._go_on(trainer)
        return trainer

    def fit(
        self, trainer: Trainer, on_batch: Callable[[int, int], None] = lambda images, epoch: None
    ) -> Result:
        """Run what is left of the training, and keep it whenever it could be stopped."""
        key = self._key(trainer)

        def keep(state) -> None:
            if self.team.leads:
                resume.save(self.folder, state, key)

        with stop_when_it_suits() as told:
            return trainer.fit(on_batch, keep=keep, told_to_stop=told)

    @property
    def folder(self) -> Path:
        """Where the checkpoint is: outside what DVC clears before a stage runs."""
        return self.data / RESUME / "replicate-1"

    def _trainer(self) -> Trainer:
        inputs, seed = self.inputs, self.params.seed
        model = build(
            self.params.model,
            classes=len(inputs.classes),
            mean=inputs.mean,
            std=inputs.std,
            seed=seeds.integer(seed, "initial weights", 0),
        )
        return Trainer(
            model,
            self.params,
            inputs.train,
            inputs.val,
            classes=len(inputs.classes),
            positive=None if inputs.positive is None else inputs.classes.index(inputs.positive),
            device=inputs.device,
            team=self.team,
        )

    def _key(self, trainer: Trainer) -> dict:
        """All that must be the same for a checkpoint to lead to the weights it would have."""
        root = Path(pipeline.__file__).parent
        return {
            "code": resume.digests(root, *(root / name for name in _CODE)),
            "train": self.params.model_dump(mode="json"),
            "data": {name: sha256(self.data / name / MANIFEST) for name in _INPUTS},
            "machine": fingerprint(trainer),
        }

    def _go_on(self, trainer: Trainer) -> None:
        folder, kept = self.folder, resume.load(self.folder)
        if kept is None:
            reasons = [f"{folder} does not exist"]
        else:
            reasons = [*resume.differences(kept[1], self._key(trainer))]
        if not reasons:
            trainer.load_state(kept[0])
            if self.team.leads:
                at = trainer.progress
                say(f"train: goes on after epoch {at.epoch}, step {at.step} ({folder})")
        elif self.continuing == "require":
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


def _write(job: Job) -> None:
    targets = [job.data / name for name in ("model", "training/metrics.json", "training/curves")]
    with stage_outputs(*targets) as (model, metrics, curves):
        trainer, result = _fit_with_bar(job)
        checkpoint.save(model, result.weights, _card(job, trainer, result))
        parameters = sum(weight.numel() for weight in trainer.model.parameters())
        write_json(model / "fingerprint.json", fingerprint(trainer) | {"parameters": parameters})
        write_json(metrics, _metrics(trainer, result))
        _write_curves(curves, result)
    shutil.rmtree(job.data / RESUME, ignore_errors=True)


def _fit_with_bar(job: Job) -> tuple[Trainer, Result]:
    trainer, epochs = job.start(), job.params.epochs
    images = trainer.steps_per_epoch * job.params.batch_size
    with bar(rate_column()) as progress:
        done = trainer.progress.epoch * images + trainer.progress.images
        task = progress.add_task("train", total=images * epochs, completed=done)

        def on_batch(seen: int, epoch: int) -> None:
            progress.update(task, advance=seen, description=f"epoch {epoch + 1}/{epochs}")

        return trainer, job.fit(trainer, on_batch)


def _card(job: Job, trainer: Trainer, result: Result) -> checkpoint.ModelCard:
    inputs, epoch = job.inputs, result.best.epoch - 1
    shows = trainer.shown(epoch)
    prior = score_prior(job.params.loss, shows, epoch)

    def of_classes(values: np.ndarray) -> dict[str, float]:
        return dict(zip(inputs.classes, values.tolist(), strict=True))

    return checkpoint.ModelCard(
        model=job.params.model.model_dump(),
        classes=inputs.classes,
        positive=inputs.positive,
        image_shape=inputs.image_shape,
        mean=inputs.mean,
        std=inputs.std,
        class_shares=of_classes(shows / shows.sum()),
        score_prior=None if prior is None else of_classes(prior),
        loss=job.params.loss.name,
        epoch=result.best.epoch,
        val_average_precision=result.best.val_average_precision,
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


def _metrics(trainer: Trainer, result: Result) -> dict:
    best = result.best
    return {
        "best_epoch": best.epoch,
        "epochs": len(result.epochs),
        "val_average_precision": best.val_average_precision,
        "val_f1": best.val_f1,
        "val_loss": best.val_loss,
        "train_loss": best.train_loss,
        "images": len(trainer.train_feed),
    }


def _write_curves(folder: Path, result: Result) -> None:
    rows = curve_rows(result.epochs)
    with (folder / "curves.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draw_curves(result.epochs, result.best, folder / "curves.png")
