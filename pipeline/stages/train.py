"""train: fit the classifier, keep the epoch that ranks validation best."""

import csv
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from raresight.pipeline.cleaning.table import left_out
from raresight.pipeline.core import seeds
from raresight.pipeline.core.files import stage_outputs, write_json
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.core.params import load_section
from raresight.pipeline.core.summary import summary
from raresight.pipeline.models import checkpoint
from raresight.pipeline.models import device as devices
from raresight.pipeline.models.checkpoint import replicate_folder
from raresight.pipeline.models.pretrained import Pretrained
from raresight.pipeline.runtime.live import FOLDER, LiveCurves, require_loggers
from raresight.pipeline.runtime.progress import say
from raresight.pipeline.training.diagnosis.diagnosis import Diagnosis, diagnose
from raresight.pipeline.training.diagnosis.history import History, curve_rows
from raresight.pipeline.training.folds import (
    CrossValidation,
    Fit,
    cross_validate,
    make_folds,
    to_the_end,
)
from raresight.pipeline.training.inputs import TrainingImages, open_images
from raresight.pipeline.training.job import Job, Resume, fingerprint, later, there
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams, warn
from raresight.pipeline.training.runtime.distributed import process_group
from raresight.pipeline.training.runtime.paths import RESUME
from raresight.pipeline.training.shown import fit_shown
from raresight.pipeline.wording.diagnosis import describe
from raresight.pipeline.wording.training import cross_validated


def run(
    params_file: Path,
    data: Path,
    *,
    device: str = "auto",
    resume: Resume = "auto",
    log: Sequence[str] = (),
) -> Path:
    """Write data/model and data/training (results, metrics, curves); return the first.

    A training that was stopped is resumed where ``resume`` is ``auto`` and its checkpoint is of the
    same code, params, data and machine, and starts from the beginning where it is not; ``require``
    refuses to start from the beginning, ``never`` always does. The curves grow in data/live, and in
    the loggers named by ``log``.
    """
    require_loggers(log)
    params = load_section(params_file, "train", TrainParams)
    warn(params, params_file)
    require_inputs(data, there(data))
    where = devices.resolve(device)
    devices.prepare(where, params.threads)
    with process_group(where) as group:
        work = Work(
            params=params,
            images=open_images(params_file, params, data, left_out=left_out(data)),
            device=where,
            job={"data": data, "resume": resume, "group": group},
        )
        if group.is_main_process:
            _write(data, work, log)
        else:
            work.done(lambda job, label: job.fit(job.start()))
    return data / "model"


def seeded(params: TrainParams, replicate: int) -> TrainParams:
    """The params of one replicate: a seed of its own draws all that is random."""
    if replicate == 1:
        return params
    return params.model_copy(update={"seed": seeds.integer(params.seed, "replicate", replicate)})


@dataclass(frozen=True, kw_only=True)
class Run:
    """A training that ended, and what its curves say."""

    job: Job
    trainer: Trainer
    history: History

    @cached_property
    def diagnosis(self) -> Diagnosis:
        return diagnose(
            self.history.epochs[self.job.params.pretrain_epochs :],
            chance=self.trainer.chance_loss(),
            steps_per_epoch=self.trainer.steps_per_epoch,
            weights_per_image=_weights_per_image(self.trainer),
        )

    @property
    def metrics(self) -> dict[str, float]:
        """The best epoch in numbers."""
        best = self.history.kept
        return {
            "best_epoch": best.epoch,
            "epochs": len(self.history.epochs),
            "val_average_precision": best.val_average_precision,
            "val_f1": best.val_f1,
            "val_loss": best.val_loss,
            "train_loss": best.train_loss,
        }

    @property
    def headline(self) -> dict[str, float]:
        """Those that people compare: the contents of metrics.json."""
        names = {"val_average_precision": "val_ap"}
        shown = ("best_epoch", "val_average_precision", "val_f1", "val_loss", "train_loss")
        return {names.get(name, name): self.metrics[name] for name in shown}


@dataclass(frozen=True, kw_only=True)
class Work:
    """All trainings that the params ask for; ``job`` is what each of them needs besides."""

    params: TrainParams
    images: TrainingImages
    device: torch.device
    job: Mapping[str, Any]

    def done(self, fit: Fit) -> tuple[list[Run], CrossValidation | None]:
        """Every replicate, the model's first, and what the folds found where there are any."""
        params, images = self.params, self.images
        learned, judged = images.rows("train"), images.rows("val")
        if params.folds is None:
            return self._replicates(params, learned, self.job, fit), None
        every = np.union1d(learned, judged)
        folds = make_folds(images, every, folds=params.folds, seed=params.seed)
        found = cross_validate(images, folds, params, fit, device=self.device, **self.job)
        resume = later(self.job["resume"])
        job = {**self.job, "resume": resume, "stop_after": found.stop_after}
        runs = self._replicates(to_the_end(params), every, job, fit)
        return [_judged_by(found, run) for run in runs], found

    def _replicates(
        self, params: TrainParams, learned: np.ndarray, job: Mapping[str, Any], fit: Fit
    ) -> list[Run]:
        inputs = self.images.inputs(params, learned, self.device)
        runs = []
        for number in range(1, params.num_seeds + 1):
            resume = job["resume"] if number == 1 else later(job["resume"])
            one = Job(
                params=seeded(params, number),
                replicate=number,
                inputs=inputs,
                **{**job, "resume": resume},
            )
            label = f"{number}/{params.num_seeds}, " if params.num_seeds > 1 else ""
            trainer, history = fit(one, label)
            runs.append(Run(job=one, trainer=trainer, history=history))
        return runs


def _judged_by(found: CrossValidation, run: Run) -> Run:
    """A training that had no images left to be judged on, with the curves of the folds."""
    history = replace(found.history, weights=run.history.weights)
    return replace(run, history=history)


def _write(data: Path, work: Work, loggers: Sequence[str]) -> None:
    names = ("model", "training/results.json", "training/metrics.json", "training/curves")
    read = [data / name for name in there(data)]
    with stage_outputs(*(data / name for name in names), inputs=read) as scratch:
        model, results, metrics, curves = scratch
        runs, folds = work.done(partial(_fit_with_bar, loggers=loggers))
        for run in runs:
            folder = replicate_folder(model, run.job.replicate)
            folder.mkdir(exist_ok=True)
            checkpoint.save(folder, run.history.weights, _card(run.job, run.trainer, run.history))
        for run in runs if folds is None else runs[:1]:  # the curves are those of the folds
            _write_curves(curves, run)
        if folds is not None:
            folds.scores.write(model)
        first = runs[0].trainer
        parameters = sum(weight.numel() for weight in first.model.parameters())
        write_json(model / "fingerprint.json", fingerprint(first) | {"parameters": parameters})
        write_json(results, _results(runs, folds))
        write_json(metrics, runs[0].headline)
    shutil.rmtree(data / RESUME, ignore_errors=True)
    if folds is not None:
        say(f"train: {cross_validated(folds.summary, positive=work.images.originals.positive)}")
    for run in runs if folds is None else runs[:1]:
        name = f"replicate {run.job.replicate}: " if len(runs) > 1 else ""
        say(f"train: {name}{describe(run.diagnosis.cause, run.diagnosis.numbers)}")


def _fit_with_bar(job: Job, label: str, *, loggers: Sequence[str]) -> tuple[Trainer, History]:
    live = LiveCurves(job.data / FOLDER, loggers, replicate=job.replicate)
    with closing(live):
        return fit_shown(job, label, on_epochs=live.update)


def _weights_per_image(trainer: Trainer) -> float:
    """Trained weights for each image that is there, however often an epoch shows it."""
    weights = sum(one.numel() for one in trainer.model.parameters() if one.requires_grad)
    return float(weights / trainer.available.sum())


def _card(job: Job, trainer: Trainer, history: History) -> checkpoint.ModelCard:
    inputs, epoch = job.inputs, history.kept.epoch - 1 - trainer.epochs_before
    counts = trainer.class_counts(epoch)
    prior = trainer.params.loss.score_prior(counts, epoch)

    def of_classes(values: np.ndarray) -> dict[str, float]:
        return dict(zip(inputs.classes, values.tolist(), strict=True))

    return checkpoint.ModelCard(
        model=job.params.model.model_dump(),
        classes=inputs.classes,
        positive=inputs.positive,
        image_shape=inputs.image_shape,
        mean=inputs.mean,
        std=inputs.std,
        class_shares=of_classes(counts / counts.sum()),
        score_prior=None if prior is None else of_classes(prior),
        loss=trainer.params.loss.name,
        cosine_scale=job.params.loss.implied.cosine_scale,
        seed=job.params.seed,
        epoch=history.kept.epoch,
        val_average_precision=history.kept.val_average_precision,
        weights=_origin(job.weights),
        pretrain=_pretrained(job),
        readings=inputs.readings,
    )


def _origin(weights: Pretrained | None) -> dict[str, str | None] | None:
    return None if weights is None else {"origin": weights.origin, "sha256": weights.sha256}


def _pretrained(job: Job) -> dict[str, Any] | None:
    """What the first phase learned from, where there was one."""
    phase, feed = job.params.pretrain, job.inputs.pretrain
    if phase is None or feed is None:
        return None
    return {"sources": list(phase.sources), "epochs": phase.epochs, "images": len(feed)}


def _results(runs: Sequence[Run], folds: CrossValidation | None) -> dict[str, Any]:
    """The first replicate's numbers and diagnosis, and over several: mean, spread, each value.

    Where there are folds its curves are theirs, and so are those of all replicates.
    """
    first, together = runs[0], dict[str, Any]()
    if folds is not None:
        together["folds"] = folds.summary
    elif len(runs) > 1:
        together["by_seed"] = summary([run.metrics for run in runs])
    if (before := _pretrained(first.job)) is not None:
        together["pretrain"] = before
    return {
        **first.metrics,
        "images": len(first.trainer.train_feed),
        "steps_per_epoch": first.trainer.steps_per_epoch,
        "chance_loss": first.trainer.chance_loss(),
        "weights_per_image": _weights_per_image(first.trainer),
        "diagnosis": asdict(first.diagnosis),
        **together,
    }


def _write_curves(folder: Path, run: Run) -> None:
    """``curves.tsv``; those of further replicates have their number in it."""
    number = f"-{run.job.replicate}" if run.job.replicate > 1 else ""
    rows = curve_rows(run.history.epochs)
    with (folder / f"curves{number}.tsv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
