"""Everything that only a GPU can show, in one run of a few minutes.

``python -m benchmarks.gpu [--device cuda] [--images 40000] [--side 224] [--out FOLDER]``
asks whether training there is what it is on a CPU (:mod:`benchmarks.gpu_checks`), runs the default
scenario from the first stage to the page, and times an epoch of resnet18 beside the usual
DataLoader loop and beside the same steps on one batch in its memory. The profiler says for how much
of an epoch the device was at work; its trace goes to ``--out``. Runs on a CPU, too, where it shows
that it runs.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu_checks import checks
from benchmarks.inputs import ROOT, draw, pathology, write_params, write_pngs
from benchmarks.measure import clock, interleave
from benchmarks.memory import scaled, stages
from benchmarks.train_peers import loader_loop, model_of, one_batch, wait_for
from raresight.pipeline.core.parallel import available_cores
from raresight.pipeline.core.params import load_section
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.models import device as devices
from raresight.pipeline.stages.table import STAGES
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.state import Progress

_NETS = {
    "default network": {"name": "small_cnn"},
    "resnet18": {"name": "resnet18", "stem": "original", "dropout": 0.0},
}
_TRAIN = {
    "epochs": 1,
    "sampler": {"name": "shuffled", "max_per_class": None},
    "schedule": {"name": "constant", "interval": "step", "warmup": None},
    "early_stopping": None,
    "batch_augment": {"flip": "both", "rotate90": True, "shift": 4},
}
_JUDGED = 16  # images: the peers judge none


@dataclass(frozen=True, kw_only=True)
class Timed:
    """An epoch's median seconds: ours, the DataLoader loop's, and those of steps on one batch.

    ``busy`` is the share of ours in which the device was at work, None where nobody can tell.
    """

    what: str
    images: int
    ours: float
    loader: float
    batch: float
    busy: float | None


def epoch_of(params: TrainParams, dataset: Dataset, device: torch.device) -> Trainer:
    """A trainer whose only epoch can be run again and again."""
    rows = np.arange(len(dataset))
    val = np.concatenate((rows[: _JUDGED // 2], rows[-_JUDGED // 2 :]))
    return Trainer(
        model_of(params, dataset.image_shape[0]),
        params,
        Feed(dataset.images, rows, dataset.targets, device),
        Feed(dataset.images, val, dataset.targets[val], device),
        classes=2,
        positive=0,
        device=device,
    )


def timed(
    name: str, folder: Path, *, side: int, images: int, device: torch.device, rounds: int, out: Path
) -> Timed:
    """Time one network on drawn patches of ``side`` pixels; the trace goes below ``out``."""
    half = max(16, images // 2)
    amount = pathology(side, counts={"mitotic": half, "normal": half})
    changes = {"generate": amount, "train": {**_TRAIN, "model": _NETS[name]}}
    file = write_params(folder / "params.yaml", changes)
    dataset, params = draw(file, folder / "data"), load_section(file, "train", TrainParams)
    write_pngs(folder / "png", dataset.images[:], dataset.labels)
    trainer = epoch_of(params, dataset, device)

    def epoch() -> None:
        trainer.progress = Progress()
        trainer.fit()
        wait_for(device)

    workers = min(8, available_cores())
    ours, loader, batch = interleave(
        clock(epoch),
        loader_loop(params, folder / "png", side, device, workers=workers),
        one_batch(params, dataset, device),
        rounds=rounds,
    )
    precision = "bfloat16" if trainer.bfloat16 else "float32"
    return Timed(
        what=f"{name}, {side} pixels, {precision}",
        images=len(dataset),
        ours=float(np.median(ours)),
        loader=float(np.median(loader)),
        batch=float(np.median(batch)),
        busy=_busy(epoch, device, out / f"{name.replace(' ', '-')}-{side}.json"),
    )


def _busy(epoch: Any, device: torch.device, trace: Path) -> float | None:
    """The share of an epoch in which kernels ran; all of them stand in one queue."""
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    timer = clock(epoch)
    with profile(activities=activities) as seen:
        seconds = timer()
    seen.export_chrome_trace(str(trace))
    if device.type != "cuda":
        return None
    micro = sum(event.self_device_time_total for event in seen.key_averages())
    return micro / 1e6 / seconds


def chain(folder: Path, images: int) -> Iterator[dict[str, Any]]:
    """The default scenario, every stage a command of its own that finds the device by itself."""
    params = scaled(YAML(typ="safe").load(ROOT / "params.yaml"), images)
    for row in stages(folder, params, list(STAGES)):
        yield asdict(row)


def _print(found: dict[str, Any]) -> None:
    console = Console(width=max(110, Console().width))
    table = Table(title=f"{found['device']}: is it what a CPU does?")
    for heading in ("what", "holds", "found"):
        table.add_column(heading)
    for one in found["checks"]:
        table.add_row(one["name"], {True: "yes", False: "NO", None: "-"}[one["holds"]], one["told"])
    console.print(table)
    table = Table(title="the default scenario")
    for heading in ("stage", "seconds"):
        table.add_column(heading)
    for row in found["chain"]:
        table.add_row(row["stage"], f"{row['seconds']:.1f}")
    console.print(table)
    table = Table(title="an epoch")
    for heading in ("what", "images/s", "x DataLoader loop", "of one batch in memory", "busy"):
        table.add_column(heading)
    for row in found["timed"]:
        busy = "-" if row["busy"] is None else f"{row['busy']:.2f}"
        rate, faster = row["images"] / row["ours"], row["loader"] / row["ours"]
        share = row["batch"] / row["ours"]
        table.add_row(row["what"], f"{rate:,.0f}", f"{faster:.2f}", f"{share:.2f}", busy)
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask, run, time and print."""
    parser = argparse.ArgumentParser("python -m benchmarks.gpu")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--images", type=int, default=40_000, help="of the default scenario")
    parser.add_argument("--side", type=int, default=224, help="pixels, of resnet18's images")
    parser.add_argument("--timed", type=int, default=4096, help="images of a timed epoch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-compile", action="store_true", help="do not ask about torch.compile")
    parser.add_argument("--out", type=Path, help="an existing folder for the profiler's traces")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    device = devices.resolve(asked.device)
    devices.prepare(device, None)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    found: dict[str, Any] = {"device": name, "torch": torch.__version__}
    found["checks"] = []
    for check in checks(device, compiled=not asked.no_compile):
        print(check, file=sys.stderr)
        found["checks"].append(asdict(check))
    with tempfile.TemporaryDirectory(prefix="raresight-gpu-") as temporary:
        folder = Path(temporary)
        for part in ("chain", *_NETS):
            (folder / part).mkdir()
        found["chain"] = list(chain(folder / "chain", asked.images))
        sides = {"default network": min(64, asked.side), "resnet18": asked.side}
        found["timed"] = [
            asdict(
                timed(
                    net,
                    folder / net,
                    side=sides[net],
                    images=asked.timed,
                    device=device,
                    rounds=asked.rounds,
                    out=asked.out or folder,
                )
            )
            for net in _NETS
        ]
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=2))
    _print(found)
    if not all(check["holds"] is not False for check in found["checks"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
