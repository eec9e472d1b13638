"""plan --more-data: how much more images of the positive class would help."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raresight.pipeline.cleaning.table import left_out
from raresight.pipeline.core import seeds as streams
from raresight.pipeline.core.inputs import require_inputs
from raresight.pipeline.core.params import load_section
from raresight.pipeline.models import device as devices
from raresight.pipeline.runtime.errors import DataError, ParamsError
from raresight.pipeline.runtime.progress import bar
from raresight.pipeline.sweeps.engine import Arm, Measured, nested, sweep
from raresight.pipeline.sweeps.learning_curve import Forecast, back_test, forecast
from raresight.pipeline.training.inputs import TrainingImages, open_images
from raresight.pipeline.training.job import there
from raresight.pipeline.training.params import TrainParams

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
TIMES = (2, 4)
LEAST, FEW = 16, 30  # groups of positives to learn from, and positives that judge well enough


@dataclass(frozen=True, kw_only=True)
class Point:
    """The average precision on validation of trainings with so many positives, a seed each."""

    positives: float
    average_precision: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class DataPlan:
    """What more positives would bring; forecasts are of the error, 1 - average precision.

    ``ahead`` are those of twice and four times as many; ``back_test`` is what the first three
    points would have foretold of the last, and ``foretold`` whether its interval holds it.
    ``judged_by`` are the positives in validation.
    """

    positive: str
    points: tuple[Point, ...]
    ahead: tuple[Forecast, ...]
    back_test: Forecast
    foretold: bool
    judged_by: int


def run(
    params_file: Path,
    data: Path,
    *,
    num_seeds: int = 3,
    epochs: int | None = None,
    device: str = "auto",
) -> DataPlan:
    """Train on an eighth, a quarter, half and all of the positives, and carry the curve on.

    ``epochs`` are those of each training (None: as ``train`` says). Raises DataError where there
    are too few positives for a curve, ParamsError without a positive class.
    """
    section = load_section(params_file, "train", TrainParams)
    params = section if epochs is None else section.model_copy(update={"epochs": epochs})
    require_inputs(data, there(data))
    where = devices.resolve(device)
    devices.prepare(where, params.threads)
    images = open_images(params_file, params, data, left_out=left_out(data))
    positive = images.originals.positive
    if positive is None:
        raise ParamsError(
            f"{params_file}: plan --more-data asks how much more positives would help, and "
            "generate.positive is null. Name the class that the results are about."
        )
    index = images.originals.classes.index(positive)
    _refuse_few(images, positive, index)
    arms = list(_arms(images, index, num_seeds, params.seed))
    with bar() as progress:
        task = progress.add_task("plan", total=len(arms))
        found = sweep(
            arms, params, data=data, name="plan", device=where,
            on_done=lambda _: progress.advance(task),
        )  # fmt: skip
    targets = images.originals.targets
    judged = int((targets[images.rows("val")] == index).sum())
    counts = [int((targets[arm.rows] == index).sum()) for arm in arms]
    return planned(positive, counts, found, num_seeds=num_seeds, judged_by=judged)


def _refuse_few(images: TrainingImages, positive: str, index: int) -> None:
    rows = images.rows("train")
    groups = len(np.unique(images.groups[rows][images.originals.targets[rows] == index]))
    if groups < LEAST:
        raise DataError(
            f"'{positive}' is in {groups} groups of training images, and a curve needs {LEAST}: an "
            "eighth of them has to be two. `train.folds` makes the most of few."
        )


def _arms(images: TrainingImages, index: int, num_seeds: int, seed: int) -> Iterator[Arm]:
    """Every share with every seed; the shares of a seed are nested."""
    rows = images.rows("train")
    targets, groups = images.originals.targets[rows], images.groups[rows]
    for share in SHARES:
        for number in range(1, num_seeds + 1):
            drawn = streams.integer(seed, "plan", number)
            kept = nested(targets, groups, index, share, seed=drawn)
            yield Arm(name=f"{share:g}", seed=drawn, images=images, rows=rows[kept])


def planned(
    positive: str, counts: list[int], found: list[Measured], *, num_seeds: int, judged_by: int
) -> DataPlan:
    """The plan that trainings lead to, in the order of :data:`SHARES` and then of their seeds."""
    reached = np.array([one.average_precision for one in found]).reshape(len(SHARES), num_seeds)
    sizes = np.array(counts, float).reshape(len(SHARES), num_seeds).mean(axis=1)
    # One positive that ranks last takes about as much of the average precision.
    errors, resolution = 1 - reached, 1 / max(1, judged_by)
    before = back_test(sizes, errors, seed=1, resolution=resolution)
    ahead = [times * sizes[-1] for times in TIMES]
    return DataPlan(
        positive=positive,
        points=tuple(
            Point(positives=float(size), average_precision=tuple(values.tolist()))
            for size, values in zip(sizes, reached, strict=True)
        ),
        ahead=tuple(forecast(sizes, errors, ahead, seed=1, resolution=resolution)),
        back_test=before,
        foretold=bool(before.low <= errors[-1].mean() <= before.high),
        judged_by=judged_by,
    )
