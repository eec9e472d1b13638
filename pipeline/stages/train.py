"""train: fit the classifier, keep the epoch that ranks validation best."""

import csv
from pathlib import Path

import numpy as np

from pipeline.core import seeds
from pipeline.core.errors import DataError, ParamsError
from pipeline.core.files import require_verified, stage_outputs, write_json
from pipeline.core.params import load_section
from pipeline.core.progress import bar, rate_column
from pipeline.dataset.reader import Dataset, Pixels
from pipeline.splitting.table import Splits, read_splits
from pipeline.training import checkpoint
from pipeline.training import device as devices
from pipeline.training.feed import Feed
from pipeline.training.figures import draw_curves
from pipeline.training.loop import Result, Trainer, curve_rows, fingerprint
from pipeline.training.models import build
from pipeline.training.params import TrainParams


def run(params_file: Path, data: Path, *, device: str = "auto") -> Path:
    """Write data/model, data/training/metrics.json and data/training/curves; return the first."""
    params = load_section(params_file, "train", TrainParams)
    for name, stage in (("generated", "generate"), ("augmented", "augment"), ("splits", "split")):
        require_verified(data / name, stage)
    originals, copies = Dataset(data / "generated"), Dataset(data / "augmented")
    if params.batch_augment.shift >= min(originals.image_shape[:2]):
        raise ParamsError(
            f"{params_file}: train.batch_augment.shift: must be less than the image's side, "
            f"{min(originals.image_shape[:2])}. Got {params.batch_augment.shift}."
        )
    where = devices.resolve(device)
    devices.prepare(where, params.threads)
    splits = read_splits(data / "splits")
    targets = (data / "model", data / "training" / "metrics.json", data / "training" / "curves")
    with stage_outputs(*targets) as (model, metrics, curves):
        trainer, card = _prepare(params, originals, copies, splits, where)
        result = _fit(trainer, params)
        checkpoint.save(model, result.weights, card(result))
        write_json(model / "fingerprint.json", fingerprint(trainer))
        write_json(metrics, _metrics(trainer, result))
        _write_curves(curves, result)
    return data / "model"


def _prepare(params: TrainParams, originals: Dataset, copies: Dataset, splits: Splits, where):
    """The trainer, and a function that makes the model's card from its result."""
    shards = [*originals.images.shards, *copies.images.shards]
    targets = np.concatenate((originals.targets, copies.targets))
    train_originals = splits.rows(originals, "train")
    rows = np.concatenate((train_originals, splits.rows(copies, "train") + len(originals)))
    val = splits.rows(originals, "val")
    if not len(rows) or not len(val):
        raise DataError("data/splits leaves no image for train or val. Run `raresight split`.")
    mean, std = _pixel_statistics(originals, train_originals)
    classes, positive = originals.classes, originals.positive
    model = build(
        params.model,
        classes=len(classes),
        mean=mean,
        std=std,
        seed=seeds.integer(params.seed, "initial weights", 0),
    )
    trainer = Trainer(
        model,
        params,
        Feed(Pixels(shards, originals.image_shape), rows, targets[rows], where),
        Feed(originals.images, val, originals.targets[val], where),
        classes=len(classes),
        positive=None if positive is None else classes.index(positive),
        device=where,
    )

    def card(result: Result) -> checkpoint.ModelCard:
        return checkpoint.ModelCard(
            model=params.model.model_dump(),
            classes=classes,
            positive=positive,
            image_shape=originals.image_shape,
            mean=mean,
            std=std,
            class_shares=dict(zip(classes, trainer.shares.tolist(), strict=True)),
            loss=params.loss.name,
            epoch=result.best.epoch,
            val_average_precision=result.best.val_average_precision,
        )

    return trainer, card


def _pixel_statistics(data: Dataset, rows: np.ndarray, limit: int = 4096) -> tuple:
    """Mean and deviation per channel over (at most ``limit`` evenly spaced) training images."""
    chosen = rows[:: max(1, len(rows) // limit)][:limit]
    pixels = data.images.take(chosen).reshape(-1, data.image_shape[2])
    counts = np.stack([np.bincount(channel, minlength=256) for channel in pixels.T])
    levels = np.arange(256)
    mean = counts @ levels / len(pixels)
    std = np.sqrt(counts @ levels**2 / len(pixels) - mean**2)
    return tuple(mean.tolist()), tuple(np.maximum(std, 1.0).tolist())


def _fit(trainer: Trainer, params: TrainParams) -> Result:
    with bar(rate_column()) as progress:
        total = trainer.steps_per_epoch * params.batch_size * params.epochs
        task = progress.add_task("train", total=total)

        def on_batch(images: int, epoch: int) -> None:
            progress.update(task, advance=images, description=f"epoch {epoch + 1}/{params.epochs}")

        return trainer.fit(on_batch)


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
    rows = curve_rows(result)
    with (folder / "curves.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draw_curves(result.epochs, result.best, folder / "curves.png")
