"""A training with its progress bar."""

from raresight.pipeline.runtime.progress import bar, rate_column
from raresight.pipeline.training.diagnosis.history import History
from raresight.pipeline.training.job import Job
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.state import OnEpochs


def fit_shown(
    job: Job,
    label: str = "",
    *,
    name: str = "train",
    on_epochs: OnEpochs = lambda rows: None,
) -> tuple[Trainer, History]:
    """Start or resume the training and run what is left of it, under a bar called ``name``.

    ``label`` says which of several trainings it is.
    """
    trainer = job.start()
    epochs, images = trainer.last_epoch, int(trainer.class_counts(0).sum())
    with bar(rate_column()) as progress:
        done = trainer.progress.epoch * images + trainer.progress.images
        task = progress.add_task(name, total=images * epochs, completed=done)

        def on_batch(seen: int, epoch: int) -> None:
            progress.update(task, advance=seen, description=f"{label}epoch {epoch + 1}/{epochs}")

        return job.fit(trainer, on_batch, on_epochs)
