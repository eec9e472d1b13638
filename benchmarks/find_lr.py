"""Whether the suggested learning rate does as well as the best one of a grid.

``python -m benchmarks.find_lr [SCENARIO...]``: on scenarios of ``params/`` with fewer images, the
validation average precision of a whole training at the rate that ``raresight find-lr`` suggests,
beside those at seven rates two to a decade.
"""

import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ruamel.yaml import YAML

from benchmarks.inputs import ROOT
from raresight.pipeline.commands import digits, find_lr
from raresight.pipeline.core.params import load_section
from raresight.pipeline.runtime.errors import DivergedError
from raresight.pipeline.stages import augment, generate, split
from raresight.pipeline.training.inputs import open_inputs
from raresight.pipeline.training.job import Job
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.runtime.distributed import ProcessGroup

SCENARIOS = ("digits", "shapes", "pathology")
RATES = np.geomspace(1e-4, 1e-1, 7)
EPOCHS = {"digits": 6, "shapes": 40, "pathology": 20}  # enough that the best rates learn the task
_WITHIN = 0.9  # of the best grid point's average precision


def reduced(name: str, folder: Path) -> Path:
    """The scenario's params with EPOCHS, one thread, and fewer images.

    Of pathology's 4,000 images every 20th is mitotic, so that validation has some 30 of them.
    """
    document = YAML(typ="safe").load(ROOT / f"params/{name}.yaml")
    for source in document["generate"]["sources"]:
        if source["generator"] == "folder":
            digits.write_digits(folder / "raw")
            source["options"]["path"] = str(folder / "raw")
        if source["generator"] == "pathology":
            source |= {"count": 4000, "prevalence": {"mitotic": 0.05}}
    document["train"] |= {"epochs": EPOCHS[name], "threads": 1, "early_stopping": None}
    YAML(typ="safe").dump(document, folder / "params.yaml")
    return folder / "params.yaml"


def quality(params: TrainParams, rate: float, job: dict[str, Any]) -> float:
    """The best validation average precision; not a number where the training diverged."""
    optimizer = params.optimizer.model_copy(update={"learning_rate": rate})
    params = params.model_copy(update={"optimizer": optimizer})
    try:
        group = ProcessGroup()
        trainer = Job(params=params, replicate=1, resume="never", group=group, **job).trainer()
        return trainer.fit().best.val_average_precision
    except DivergedError:
        return math.nan


def share_of_the_best(name: str, folder: Path) -> float:
    """Print what the scenario gives; the suggestion's average precision over the grid's best."""
    file, data = reduced(name, folder), folder / "data"
    generate.run(file, data, workers=1)
    augment.run(file, data, workers=1)
    split.run(file, data)
    suggestion = find_lr.run(file, data, device="cpu").search.suggestion
    params = load_section(file, "train", TrainParams)
    inputs = open_inputs(file, params, data, torch.device("cpu"))
    job = {"inputs": inputs, "data": data}
    grid = {float(rate): quality(params, float(rate), job) for rate in RATES}
    reached = quality(params, suggestion, job)
    best = max(value for value in grid.values() if not math.isnan(value))
    print(f"{name}: suggested {suggestion:g}, AP {reached:.3f}; grid:")
    print("   ", ", ".join(f"{rate:.1e} {value:.3f}" for rate, value in grid.items()))
    print(f"    {reached / best:.3f} of the best", flush=True)
    return reached / best


def main(names: list[str]) -> int:
    """Print three lines a scenario; 1 when a suggestion is more than 10 % below its grid's best."""
    os.environ["RARESIGHT_VERBOSITY"] = "-1"
    shares = []
    for name in names or SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="raresight-bench-") as folder:
            shares.append(share_of_the_best(name, Path(folder)))
    return int(not all(share >= _WITHIN for share in shares))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
