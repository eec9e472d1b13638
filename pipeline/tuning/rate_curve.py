"""The learning rate of every step of a training that need not be run."""

from dataclasses import dataclass
from pathlib import Path

from raresight.pipeline.training.optim.learning_rate import learning_rate
from raresight.pipeline.training.params import TrainParams


@dataclass(frozen=True, kw_only=True)
class RateCurve:
    """``epochs[k]`` is where step k stands in the training, ``rates[k]`` its learning rate.

    ``note`` says what an on-plateau schedule was taken to see.
    """

    schedule: str
    steps_per_epoch: int
    epochs: tuple[float, ...]
    rates: tuple[float, ...]
    note: str | None


def rate_curve(params: TrainParams, steps_per_epoch: int) -> RateCurve:
    """The rates that ``train`` would use.

    What an on-plateau schedule does hangs on validation: here it never gets better.
    """
    plateau = params.schedule.monitored is not None
    steps = range(params.epochs * steps_per_epoch)
    rates = [
        learning_rate(
            step,
            base=params.optimizer.learning_rate,
            epochs=params.epochs,
            steps_per_epoch=steps_per_epoch,
            schedule=params.schedule,
            history=[0.0] * (step // steps_per_epoch) if plateau else (),
        )
        for step in steps
    ]
    return RateCurve(
        schedule=params.schedule.name,
        steps_per_epoch=steps_per_epoch,
        epochs=tuple(step / steps_per_epoch for step in steps),
        rates=tuple(rates),
        note="as if validation never got better" if plateau else None,
    )


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
