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
    with bar(rate_column()) as progress:
        task, said = progress.add_task(name), ""

        def on_phase(phase: str, trainer: Trainer) -> None:
            nonlocal said
            images, at = int(trainer.class_counts(0).sum()), trainer.progress
            total, done = images * trainer.last_epoch, at.epoch * images + at.images
            progress.reset(task, total=total, completed=done)
            said = label + (f"{phase}, " if phase else "") + f"epoch {{}}/{trainer.last_epoch}"

        def on_batch(seen: int, epoch: int) -> None:
            progress.update(task, advance=seen, description=said.format(epoch + 1))

        return job.fit(trainer, on_batch, on_epochs, on_phase)
