"""schedule: the learning rate of params.yaml over a training, drawn without running it."""

from pathlib import Path

import numpy as np

from raresight.pipeline.core.params import load_section
from raresight.pipeline.runtime.errors import InputMissing
from raresight.pipeline.training.data.order import steps_of
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.sources import in_first_phase
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
    steps = (steps_per_epoch, 0) if steps_per_epoch else _steps(params, data)
    curve = rate_curve(params, *steps)
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        draw(curve, plot)
    return curve


def _steps(params: TrainParams, data: Path) -> tuple[int, int]:
    """The steps of an epoch of the recipe, and of its first phase."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from raresight.pipeline.dataset.reader import Dataset
    from raresight.pipeline.splitting.table import read_splits

    try:
        splits = read_splits(data / "splits")
        sets = [Dataset(data / name) for name in ("generated", "augmented")]
    except (InputMissing, FileNotFoundError):
        return _WITHOUT_DATA, 0
    originals, copies = sets
    of_copies = pc.index_in(
        copies.arrow("source_id"), value_set=pa.array(originals.ids, pa.string())
    ).to_numpy()
    first = in_first_phase(params, originals.source_names)
    found = []
    for wanted in (~first, first):
        targets = np.concatenate(
            [
                one.targets[np.intersect1d(splits.rows(one, "train"), np.flatnonzero(mine))]
                for one, mine in ((originals, wanted), (copies, wanted[of_copies]))
            ]
        )
        available = np.bincount(targets, minlength=len(originals.classes))
        counts = params.sampler.class_counts(available, epoch=0, epochs=params.epochs)
        found.append(steps_of(int(counts.sum()), params.batch_size) if len(targets) else 0)
    return max(1, found[0]), found[1]
