"""Answers for a folder of PNGs, beside a plain loop of Pillow and torch over the same files.

The peers give a score a class and write them; ours also calibrates, answers, compares each image
with the training images, names each file by its content, and would list those that are damaged.
"""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from benchmarks.inputs import draw, pathology, write_params, write_pngs
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from raresight.pipeline.commands.predict import Options, run
from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.evaluation.decisions.kept import KeptDecision
from raresight.pipeline.evaluation.decisions.predictions import Task
from raresight.pipeline.evaluation.decisions.unlike import fit_reference, pixel_statistics
from raresight.pipeline.evaluation.keeping import model_files
from raresight.pipeline.evaluation.metrics.calibration import Calibrator
from raresight.pipeline.evaluation.params import MaxF1
from raresight.pipeline.models.checkpoint import ModelCard, load_model, save
from raresight.pipeline.models.classifier import Classifier, build
from raresight.pipeline.models.params import SmallCNNParams

_BATCH = 256
_REFERENCE = 500  # images that the others are compared with


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """One worker beside the loop in one thread, two beside it and beside a DataLoader of two."""
    amount = pathology(sizes.side, count=sizes.stored, prevalence={"mitotic": 0.01})
    params = write_params(folder / "params.yaml", {"generate": amount})
    dataset = draw(params, folder / "data")
    write_pngs(folder / "png", dataset.images[:], dataset.labels)
    write_model(folder, dataset)
    files = sorted(map(str, (folder / "png").rglob("*.png")))
    threads = os.environ.pop("OMP_NUM_THREADS", None)
    try:
        for workers, peer, goal in ((1, plain, 1), (2, plain, 2), (2, loader, 1)):
            yield _beside(folder, files, sizes, workers=workers, peer=peer, goal=goal)
    finally:
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads


def _beside(
    folder: Path,
    files: Sequence[str],
    sizes: Sizes,
    *,
    workers: int,
    peer: "Peer",
    goal: float,
) -> Measurement:
    options = Options(
        model=folder / "data" / "model", out=folder / "ours.csv", workers=workers, device="cpu"
    )

    def ours() -> None:
        os.environ["OMP_NUM_THREADS"] = str(workers)
        run([str(folder / "png")], options)

    def theirs() -> None:
        torch.set_num_threads(workers)
        model = load_model(options.model, "cpu").model
        torch.set_num_threads(workers)
        peer(model, files, sizes.side, folder / "theirs.csv")

    mine, other = interleave(clock(ours), clock(theirs), rounds=sizes.rounds)
    return Measurement(
        what=f"predict: a folder of files, --workers {workers}",
        peer=f"{peer.__doc__} ({workers} threads)" if peer is plain else str(peer.__doc__),
        ours=mine,
        theirs=other,
        goal=Goal(kind="speed-up", bound=goal),
        images=len(files),
    )


Peer = Callable[[Classifier, Sequence[str], int, Path], None]


def plain(model: Classifier, files: Sequence[str], side: int, out: Path) -> None:
    """plain loop, Pillow and torch"""
    with out.open("w", newline="") as sink, torch.inference_mode():
        writer = csv.writer(sink)
        for at in range(0, len(files), _BATCH):
            some = files[at : at + _BATCH]
            pixels = torch.from_numpy(np.stack([_read(file, side) for file in some]))
            scores = model(pixels).softmax(1).tolist()
            writer.writerows([file, *row] for file, row in zip(some, scores, strict=True))


class _Files(torch.utils.data.Dataset[torch.Tensor]):
    def __init__(self, files: Sequence[str], side: int):
        self.files, self.side = files, side

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> torch.Tensor:
        return torch.from_numpy(_read(self.files[row], self.side))


def loader(model: Classifier, files: Sequence[str], side: int, out: Path) -> None:
    """torch DataLoader, 2 workers"""
    batches = DataLoader(_Files(files, side), batch_size=_BATCH, num_workers=2)
    with out.open("w", newline="") as sink, torch.inference_mode():
        writer, at = csv.writer(sink), 0
        for pixels in batches:
            scores = model(pixels).softmax(1).tolist()
            some = files[at : at + len(scores)]
            writer.writerows([file, *row] for file, row in zip(some, scores, strict=True))
            at += len(scores)


def _read(file: str, side: int) -> np.ndarray:
    with Image.open(file) as image:
        return np.array(image.convert("RGB").resize((side, side)))


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
        threshold=0.5,
        calibrator=Calibrator(assumed=equal, prior=equal),
        unlike={
            name: fit_reference(values, targets, values, flagged=0.005)
            for name, values in seen.items()
        },
        flagged={},
    )
