"""schedule: the learning rate of params.yaml over a training, drawn without running it."""

from pathlib import Path

import numpy as np

from raresight.pipeline.core.params import load_section
from raresight.pipeline.runtime.errors import InputMissing
from raresight.pipeline.training.data.order import steps_of
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.tuning.rate_curve import RateCurve, draw, rate_curve

_WITHOUT_DATA = 100


def run(
    params_file: Path, data: Path, *, plot: Path | None, steps_per_epoch: int | None
) -> RateCurve:
    """The curve; drawn to ``plot`` as PNG where that is given.

    Without ``steps_per_epoch`` they are counted from the splits below ``data``, or taken to be 100
    where there are none yet: by epochs the curve looks the same.
    """
    params = load_section(params_file, "train", TrainParams)
    curve = rate_curve(params, steps_per_epoch or _steps(params, data))
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        draw(curve, plot)
    return curve


def _steps(params: TrainParams, data: Path) -> int:
    from raresight.pipeline.dataset.reader import Dataset
    from raresight.pipeline.splitting.table import read_splits

    try:
        splits = read_splits(data / "splits")
        sets = [Dataset(data / name) for name in ("generated", "augmented")]
    except (InputMissing, FileNotFoundError):
        return _WITHOUT_DATA
    targets = np.concatenate([one.targets[splits.rows(one, "train")] for one in sets])
    available = np.bincount(targets, minlength=len(sets[0].classes))
    counts = params.sampler.class_counts(available, epoch=0, epochs=params.epochs)
    return steps_of(int(counts.sum()), params.batch_size)
