"""train: an epoch beside the usual DataLoader loop, beside steps on one batch, beside ffcv."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs import draw, pathology, write_params, write_pngs
from benchmarks.measure import Goal, Measurement, Sizes, Timer, clock, interleave
from benchmarks.train_peers import CPU, ffcv_loop, has_ffcv, loader_loop, model_of, one_batch
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.models import device as devices
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.loop import Progress, Trainer
from raresight.pipeline.training.params import TrainParams

_TRAIN = {
    "epochs": 1,
    "sampler": {"name": "shuffled", "max_per_class": None},
    "schedule": {"name": "constant", "interval": "step", "warmup": None},
    "early_stopping": None,
    "batch_augment": {"flip": "both", "rotate90": True, "shift": 4},  # what the peers do, too
}
_SMALL = {
    "name": "small_cnn",
    "width": 16,
    "blocks": [2, 1],
    "connections": "residual",
    "norm": "batch",
    "dropout": {"input": 0.0, "hidden": 0.1},
    "stochastic_depth": 0.0,
}
_RESNET18 = {"name": "resnet18", "stem": "original", "dropout": 0.0}
_NO_FFCV = "not installed (pip builds it where it finds OpenCV and libturbojpeg)"
_NO_BFLOAT16 = "not measured: this CPU has neither avx512_bf16 nor amx_bf16, and would emulate it"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A net and its goals: beside the DataLoader's loop by precision, and beside one batch.

    ``share`` of the images is learned from, the net being slow.
    """

    name: str
    model: Mapping[str, Any]
    share: float
    loader: Mapping[str, float]
    batch: float


CASES = (
    Case(
        name="net of 92,306 parameters",
        model=_SMALL,
        share=1.0,
        loader={"float32": 2.4, "bfloat16": 3.5},
        batch=0.88,
    ),
    Case(
        name="resnet18",
        model=_RESNET18,
        share=0.25,
        loader={"float32": 1.35, "bfloat16": 2.1},
        batch=0.95,
    ),
)


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """Whole epochs on the CPU, on all cores: fetching, augmenting, steps, metrics, judging.

    Only 16 images are judged: the peers judge none. The DataLoader's loop is in float32, as a user
    would write it; the steps on one batch, and those on ffcv's, have our precision.
    """
    devices.prepare(CPU, None)  # the peers profit from it, too
    for number, case in enumerate(CASES):
        yield from _case(folder / str(number), sizes, case)


def _case(folder: Path, sizes: Sizes, case: Case) -> Iterator[Measurement]:
    folder.mkdir()
    half = max(16, int(sizes.learned * case.share) // 2)
    amount = pathology(sizes.side, counts={"mitotic": half, "normal": half})
    train = {**_TRAIN, "model": case.model}
    file = write_params(folder / "params.yaml", {"generate": amount, "train": train})
    dataset, section = draw(file, folder / "data"), load_section(file, "train", TrainParams)
    write_pngs(folder / "png", dataset.images[:], dataset.labels)
    timers = {"loader": loader_loop(section, folder / "png", sizes.side)}
    for precision in case.loader if devices.cpu_has_bfloat16() else ["float32"]:
        params = section.model_copy(update={"precision": precision})
        timers[f"ours {precision}"] = _epoch(params, dataset)
        timers[f"batch {precision}"] = one_batch(params, dataset)
        if has_ffcv():
            timers[f"ffcv {precision}"] = ffcv_loop(params, dataset, folder / precision)
    seconds = dict(zip(timers, interleave(*timers.values(), rounds=sizes.rounds), strict=True))
    for precision in case.loader:
        ours = seconds.get(f"ours {precision}", ())
        for name, (peer, bound) in _peers(case, precision).items():
            theirs = seconds.get(name, ()) if ours else ()
            yield Measurement(
                what=f"train: one epoch, {case.name}, {precision}",
                peer=peer,
                ours=ours,
                theirs=theirs,
                goal=Goal(kind="speed-up", bound=bound),
                images=len(dataset),
                missing=None if theirs else (_NO_FFCV if ours else _NO_BFLOAT16),
            )


def _peers(case: Case, precision: str) -> dict[str, tuple[str, float]]:
    """By the timer's name what a peer is, and how much faster than it an epoch is to be."""
    return {
        "loader": ("DataLoader loop, PNG files, 2 workers, float32", case.loader[precision]),
        f"batch {precision}": ("the same steps on one batch in memory", case.batch),
        f"ffcv {precision}": ("ffcv's loader, raw images, 2 workers", 1.0),
    }


def _epoch(params: TrainParams, dataset: Dataset) -> Timer:
    rows = np.arange(len(dataset))
    val = np.concatenate((rows[:8], rows[-8:]))  # both classes: the trainer judges every epoch
    trainer = Trainer(
        model_of(params, dataset.image_shape[0]),
        params,
        Feed(dataset.images, rows, dataset.targets, CPU),
        Feed(dataset.images, val, dataset.targets[val], CPU),
        classes=2,
        positive=0,
        device=CPU,
    )

    def epoch() -> None:
        trainer.progress = Progress()  # else the training is at its end, and stays there
        trainer.fit()

    return clock(epoch)
