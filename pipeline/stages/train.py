"""train: fit the classifier, keep the epoch that ranks validation best."""

import csv
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from raresight.pipeline.core import seeds
from raresight.pipeline.core.files import require_verified, stage_outputs, write_json
from raresight.pipeline.core.params import load_section
from raresight.pipeline.core.summary import summary
from raresight.pipeline.models import checkpoint
from raresight.pipeline.models import device as devices
from raresight.pipeline.models.checkpoint import replicate_folder
from raresight.pipeline.models.pretrained import Pretrained
from raresight.pipeline.runtime.live import FOLDER, LiveCurves, require_loggers
from raresight.pipeline.runtime.progress import bar, rate_column, say
from raresight.pipeline.training.diagnosis.diagnosis import Diagnosis, diagnose
from raresight.pipeline.training.diagnosis.history import History, curve_rows
from raresight.pipeline.training.job import INPUTS, Job, Resume, fingerprint, open_inputs
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams, warn
from raresight.pipeline.training.runtime.distributed import process_group
from raresight.pipeline.training.runtime.paths import RESUME
from raresight.pipeline.wording.diagnosis import describe


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
    for name, stage in INPUTS.items():
        require_verified(data / name, stage)
    where = devices.resolve(device)
    devices.prepare(where, params.threads)
    with process_group(where) as group:
        inputs = open_inputs(params_file, params, data, where)
        jobs = [
            Job(
                params=seeded(params, number),
                replicate=number,
                inputs=inputs,
                data=data,
                resume=resume,
                group=group,
            )
            for number in range(1, params.num_seeds + 1)
        ]
        if group.is_main_process:
            _write(data, jobs, log)
        else:
            for job in jobs:
                job.fit(job.start())
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
    diagnosis: Diagnosis

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


def _write(data: Path, jobs: Sequence[Job], loggers: Sequence[str]) -> None:
    names = ("model", "training/results.json", "training/metrics.json", "training/curves")
    with stage_outputs(*(data / name for name in names)) as (model, results, metrics, curves):
        runs = [_fit_with_bar(job, len(jobs), loggers) for job in jobs]
        for run in runs:
            folder = replicate_folder(model, run.job.replicate)
            folder.mkdir(exist_ok=True)
            checkpoint.save(folder, run.history.weights, _card(run.job, run.trainer, run.history))
            _write_curves(curves, run)
        first = runs[0].trainer
        parameters = sum(weight.numel() for weight in first.model.parameters())
        write_json(model / "fingerprint.json", fingerprint(first) | {"parameters": parameters})
        write_json(results, _results(runs))
        write_json(metrics, runs[0].headline)
    shutil.rmtree(data / RESUME, ignore_errors=True)
    for run in runs:
        name = f"replicate {run.job.replicate}: " if len(runs) > 1 else ""
        say(f"train: {name}{describe(run.diagnosis.cause, run.diagnosis.numbers)}")


def _fit_with_bar(job: Job, replicates: int, loggers: Sequence[str]) -> Run:
    trainer, epochs = job.start(), job.params.epochs
    of = f"{job.replicate}/{replicates}, " if replicates > 1 else ""
    images = int(trainer.class_counts(0).sum())
    live = LiveCurves(job.data / FOLDER, loggers, replicate=job.replicate)
    with closing(live), bar(rate_column()) as progress:
        done = trainer.progress.epoch * images + trainer.progress.images
        task = progress.add_task("train", total=images * epochs, completed=done)

        def on_batch(seen: int, epoch: int) -> None:
            progress.update(task, advance=seen, description=f"{of}epoch {epoch + 1}/{epochs}")

        last, history = job.fit(trainer, on_batch, live.update)
    found = diagnose(
        history.epochs,
        chance=last.chance_loss(),
        steps_per_epoch=last.steps_per_epoch,
        weights_per_image=_weights_per_image(last),
    )
    return Run(job=job, trainer=last, history=history, diagnosis=found)


def _weights_per_image(trainer: Trainer) -> float:
    """Trained weights for each image that is there, however often an epoch shows it."""
    weights = sum(one.numel() for one in trainer.model.parameters() if one.requires_grad)
    return float(weights / trainer.available.sum())


def _card(job: Job, trainer: Trainer, history: History) -> checkpoint.ModelCard:
    inputs, epoch = job.inputs, history.kept.epoch - 1
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
        readings=inputs.readings,
    )


def _origin(weights: Pretrained | None) -> dict[str, str | None] | None:
    return None if weights is None else {"origin": weights.origin, "sha256": weights.sha256}


def _results(runs: Sequence[Run]) -> dict[str, Any]:
    """The first replicate's numbers and diagnosis, and over several: mean, spread, each value."""
    first = runs[0]
    together = {}
    if len(runs) > 1:
        together["by_seed"] = summary([run.metrics for run in runs])
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
