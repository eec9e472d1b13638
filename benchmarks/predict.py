"""Answers for a folder of PNGs, beside a plain loop of Pillow and torch over the same files.

The peers give a score a class and write them; ours also calibrates, answers, compares each image
with the training images, names each file by its content, and would list those that are damaged.
Each is a program of its own, start-up and import of torch included, as whoever runs it sees it.

Where two workers have two cores, twice the loop's speed is the most there is, where files cost all
and the network nothing: the loop reads on one core and runs the network on both, so that of D
for reading and M for the network, a core's seconds each, it takes D + M/2 and the best (D + M)/2.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.inputs import draw, pathology, write_params, write_pngs
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from benchmarks.plain_predict import Peer, loader, plain
from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.evaluation.decisions.kept import KeptDecision, model_files
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.decisions.unlike import fit_reference, pixel_statistics
from raresight.pipeline.evaluation.metrics.calibration import Calibrator
from raresight.pipeline.evaluation.params import MaxF1
from raresight.pipeline.models.checkpoint import ModelCard, load_model, save
from raresight.pipeline.models.classifier import build
from raresight.pipeline.models.params import SmallCNNParams

_REFERENCE = 500  # images that the others are compared with


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """One worker beside the loop in one thread, two beside it and beside a DataLoader of two."""
    amount = pathology(sizes.side, count=sizes.stored, prevalence={"mitotic": 0.01})
    params = write_params(folder / "params.yaml", {"generate": amount})
    dataset = draw(params, folder / "data")
    write_pngs(folder / "png", dataset.images[:], dataset.labels)
    write_model(folder, dataset)
    files = sorted(map(str, (folder / "png").rglob("*.png")))
    for workers, peer, goal in ((1, plain, 1), (2, plain, 2), (2, loader, 1)):
        yield _beside(folder, files, sizes, workers=workers, peer=peer, goal=goal)


def _program(*arguments: str | Path, threads: int) -> Callable[[], None]:
    """A run of ``python -m ...`` with so many threads."""
    command = [sys.executable, "-m", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}

    def run() -> None:
        subprocess.run(command, env=environment, check=True, capture_output=True)

    return run


def _beside(
    folder: Path,
    files: Sequence[str],
    sizes: Sizes,
    *,
    workers: int,
    peer: Peer,
    goal: float,
) -> Measurement:
    model, files_at = folder / "data" / "model", folder / "png"
    asked = ("--model", model, "--out", folder / "ours.csv", "--workers", str(workers))
    ours = _program("raresight", "-q", "predict", files_at, *asked, threads=workers)
    told = (peer.__name__, model, files_at, str(sizes.side), folder / "theirs.csv", str(workers))
    theirs = _program("benchmarks.plain_predict", *told, threads=workers)
    # Each turn is a program that begins cold anyway; the files were written just now.
    mine, other = interleave(clock(ours), clock(theirs), rounds=sizes.rounds, warm_up=False)
    return Measurement(
        what=f"predict: a folder of files, --workers {workers}",
        peer=f"{peer.__doc__} ({workers} threads)" if peer is plain else str(peer.__doc__),
        ours=mine,
        theirs=other,
        goal=Goal(kind="speed-up", bound=goal),
        images=len(files),
    )


def write_model(folder: Path, dataset: Dataset) -> None:
    """The default network with fresh weights and a decision, as train and evaluate leave them."""
    shares = dict.fromkeys(dataset.classes, 1 / len(dataset.classes))
    network = build(
        SmallCNNParams(),
        classes=len(shares),
        mean=[128] * 3,
        std=[50] * 3,
        seed=1,
        shape=dataset.image_shape[:2],
    )
    card = ModelCard(
        model=SmallCNNParams().model_dump(mode="json"),
        classes=dataset.classes,
        positive=dataset.positive,
        image_shape=dataset.image_shape,
        mean=(128.0,) * 3,
        std=(50.0,) * 3,
        class_shares=shares,
        score_prior=shares,
        loss="cross_entropy",
        cosine_scale=None,
        seed=1,
        epoch=1,
        val_average_precision=0.5,
    )
    with stage_outputs(folder / "data" / "model", folder / "data" / "decision") as (model, kept):
        save(model, network.state_dict(), card)
        _decision(model, dataset).write(kept)


def _decision(model: Path, dataset: Dataset) -> KeptDecision:
    rows = np.arange(min(len(dataset), _REFERENCE))
    scorer, targets = load_model(model, "cpu"), dataset.targets[rows]
    seen = {
        "pixels": pixel_statistics(dataset.images[rows]),
        "features": scorer.features(dataset.images, rows),
    }
    equal = np.full(len(dataset.classes), 1 / len(dataset.classes))
    return KeptDecision(
        model=model_files(model),
        task=Task(classes=dataset.classes, positive=dataset.positive),
        rule=MaxF1(),
        threshold=None if dataset.positive is None else 0.5,
        calibrator=Calibrator(assumed=equal, prior=equal),
        unlike={
            name: fit_reference(values, targets, values, flagged=0.005)
            for name, values in seen.items()
        },
        flagged={},
    )
