"""The learning rate of every step of a training that need not be run."""

from dataclasses import dataclass
from pathlib import Path

from raresight.pipeline.training.optim.learning_rate import learning_rate
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.pretraining import first_phase


@dataclass(frozen=True, kw_only=True)
class RateCurve:
    """``epochs[k]`` is where step k stands in the training, ``rates[k]`` its learning rate.

    ``note`` says how many epochs are a first phase's, and what an on-plateau schedule was taken to
    see.
    """

    schedule: str
    steps_per_epoch: int
    epochs: tuple[float, ...]
    rates: tuple[float, ...]
    note: str | None


def rate_curve(params: TrainParams, steps_per_epoch: int, first_steps: int = 0) -> RateCurve:
    """The rates that ``train`` would use; an epoch of its first phase has ``first_steps``.

    What an on-plateau schedule does hangs on validation: here it never gets better.
    """
    before, rates = params.pretrain_epochs, list[float]()
    if before:
        rates = _rates(first_phase(params), first_steps or steps_per_epoch)
    epochs = [before * step / len(rates) for step in range(len(rates))]
    later = _rates(params, steps_per_epoch)
    notes = ["as if validation never got better"] if params.schedule.monitored else []
    if before:
        notes.insert(0, f"after {before} epochs of pretraining")
    return RateCurve(
        schedule=params.schedule.name,
        steps_per_epoch=steps_per_epoch,
        epochs=(*epochs, *(before + step / steps_per_epoch for step in range(len(later)))),
        rates=(*rates, *later),
        note=", ".join(notes) or None,
    )


def _rates(params: TrainParams, steps_per_epoch: int) -> list[float]:
    """The rate of each step of a phase."""
    plateau = params.schedule.monitored is not None
    return [
        learning_rate(
            step,
            base=params.optimizer.learning_rate,
            epochs=params.epochs,
            steps_per_epoch=steps_per_epoch,
            schedule=params.schedule,
            history=[0.0] * (step // steps_per_epoch) if plateau else (),
        )
        for step in range(params.epochs * steps_per_epoch)
    ]


def draw(curve: RateCurve, path: Path) -> None:
    """The curve as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), dpi=120, layout="constrained")
    panel = figure.subplots()
    panel.plot(curve.epochs, curve.rates, drawstyle="steps-post")
    note = f" ({curve.note})" if curve.note else ""
    panel.set_title(f"learning rate: {curve.schedule}{note}", loc="left", fontsize=10)
    panel.set_xlabel(f"epoch of {curve.steps_per_epoch} steps")
    panel.set_ylim(bottom=0)
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Software": None})
