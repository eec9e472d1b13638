"""What has to hold of training on a device, asked of small trainings there and on the CPU."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.profiler import ProfilerActivity, profile

from benchmarks.inputs import params_document
from raresight.pipeline.core.params import parse
from raresight.pipeline.dataset.pixels import Pixels
from raresight.pipeline.runtime.errors import StoppedError
from raresight.pipeline.training.data.feed import Feed
from raresight.pipeline.training.initialization import fresh
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.optim.losses import LOSSES
from raresight.pipeline.training.params import TrainParams

_TOLERANCE = 2e-3  # of the losses of three epochs in float32, whose sums are made in another order
_IN_BFLOAT16 = 0.1  # of the same in bfloat16, which has 8 bits
_SIDE, _IMAGES, _JUDGED = 32, 512, 128
_SMALL: Mapping[str, Any] = {
    "model": {"name": "small_cnn", "width": 8, "blocks": [1, 1]},
    "epochs": 3,
    "batch_size": 32,
    "sampler": {"name": "shuffled", "max_per_class": None},
    "schedule": {"name": "constant", "interval": "step", "warmup": None},
    "optimizer": {"name": "adamw", "learning_rate": 0.0005},  # so small that errors do not grow
    "early_stopping": None,
    "precision": "float32",
}
_WAITING = ("Synchronize", "DtoH")  # in the names of what the profiler sees


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was asked, whether it holds (None: it cannot be asked here), and the figure."""

    name: str
    holds: bool | None
    told: str


def checks(device: torch.device, *, compiled: bool = True) -> Iterator[Check]:
    """Ask everything; what fails on the way does not hold, and the others are still asked."""
    asked: list[tuple[str, Callable[[], tuple[bool | None, str]]]] = [
        *((f"loss {name}, as on the CPU", partial(_alike, device, loss=name)) for name in LOSSES),
        ("mixup, as on the CPU", partial(_alike, device, mixing="mixup")),
        ("cutmix, as on the CPU", partial(_alike, device, mixing="cutmix")),
        ("bfloat16, near float32 on the CPU", partial(_alike, device, precision="bfloat16")),
        ("stopped and resumed, to the bit", partial(_resumed, device)),
        ("weights in channels_last", partial(_channels_last, device)),
        ("no step waits for the device", partial(_waits, device)),
        ("a distributed group of one, to the bit", partial(_distributed, device)),
    ]
    if compiled:
        asked.append(("compiled, as on the CPU", partial(_alike, device, compile=True)))
    for name, ask in asked:
        try:
            holds, told = ask()
        except Exception as error:  # whatever it is: the table shows it beside the others
            holds, told = False, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        yield Check(name=name, holds=holds, told=told)


def _params(**changes: Any) -> TrainParams:
    document = params_document()["train"] | dict(_SMALL)
    for key, value in changes.items():
        document[key] = {"name": value} if key in ("loss", "mixing") else value
    return parse(TrainParams, document)


def _images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise; a bright square somewhere makes the positive class, one in four."""
    rng = np.random.Generator(np.random.PCG64(seed))
    images = rng.integers(0, 120, (count, _SIDE, _SIDE, 3), np.uint8)
    targets = (np.arange(count) % 4 == 0).astype(np.int64)
    for row in np.flatnonzero(targets):
        y, x = rng.integers(0, _SIDE - 6, 2)
        images[row, y : y + 6, x : x + 6] = 220
    return images, targets


def _trainer(device: torch.device, **changes: Any) -> Trainer:
    params, feeds = _params(**changes), []
    for count, seed in ((_IMAGES, 1), (_JUDGED, 2)):
        images, targets = _images(count, seed)
        pixels = Pixels([images], images.shape[1:])
        feeds.append(Feed(pixels, np.arange(count), targets, device))
    seen = feeds[0].images(np.arange(64)).cpu()  # the same first weights everywhere
    model = fresh(params, classes=2, mean=[60] * 3, std=[40] * 3, seed=5, images=seen)
    return Trainer(model, params, *feeds, classes=2, positive=1, device=device)


def _losses(trainer: Trainer) -> np.ndarray:
    return np.array([(one.train_loss, one.val_loss) for one in trainer.fit().epochs])


def _alike(device: torch.device, **changes: Any) -> tuple[bool, str]:
    """The losses of every epoch there, and in float32 on the CPU."""
    there = _losses(_trainer(device, **changes))
    plain = {"precision": "float32", "compile": False}
    here = _losses(_trainer(torch.device("cpu"), **{**changes, **plain}))
    bound = _IN_BFLOAT16 if changes.get("precision") == "bfloat16" else _TOLERANCE
    apart = float(np.abs(there / here - 1).max())
    return apart <= bound, f"{apart:.2g} apart, of {bound:g} at most"


def _resumed(device: torch.device) -> tuple[bool, str]:
    whole = _trainer(device)
    whole.fit()
    kept: list[Any] = []
    steps = iter([False] * 20)  # in the second epoch
    with suppress(StoppedError):
        _trainer(device).fit(keep=kept.append, stop_requested=lambda: next(steps, True))
    again = _trainer(device)
    again.load_state(kept[-1])
    again.fit()
    return _same_weights(whole.model, again.model)


def _same_weights(one: nn.Module, other: nn.Module) -> tuple[bool, str]:
    pairs = list(zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    apart = sum(not torch.equal(a, b) for a, b in pairs)
    return apart == 0, f"{apart} of {len(pairs)} tensors differ"


def _channels_last(device: torch.device) -> tuple[bool, str]:
    trainer = _trainer(device, epochs=1)
    trainer.fit()
    weights = [weight for weight in trainer.model.parameters() if weight.ndim == 4]
    right = sum(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)
    return right == len(weights), f"{right} of {len(weights)} kernels"


def _waits(device: torch.device) -> tuple[bool | None, str]:
    """What the steps 2 to 12 do: a loss is read after the sixteenth."""
    if device.type != "cuda":
        return None, "nobody waits for a CPU"
    trainer, steps = _trainer(device, epochs=1), iter(range(1, 10**6))
    seen = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA])

    def on_batch(images: int, epoch: int) -> None:
        step = next(steps)
        if step == 1:
            seen.start()
            torch.cuda.set_sync_debug_mode("error")
        if step == 12:
            torch.cuda.set_sync_debug_mode("default")
            seen.stop()

    try:
        trainer.fit(on_batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    names = [event.key for event in seen.key_averages()]
    # The profiler itself waits once, when it stops.
    found = [
        name
        for name in names
        if any(part in name for part in _WAITING) and name != "cudaDeviceSynchronize"
    ]
    return not found, ", ".join(found) or "nothing reads from it"


def _distributed(device: torch.device) -> tuple[bool | None, str]:
    """A step of a model that is wrapped as torchrun's are, and of one that is not."""
    if not distributed.is_available():
        return None, "torch was built without it"
    backend = "nccl" if device.type == "cuda" else "gloo"
    with tempfile.TemporaryDirectory() as folder:
        place = f"file://{Path(folder) / 'group'}"
        distributed.init_process_group(backend, init_method=place, rank=0, world_size=1)
        try:
            plain, wrapped = _trainer(device, epochs=1), _trainer(device, epochs=1)
            wrapped.forward = DistributedDataParallel(
                wrapped.model, [device] if device.type == "cuda" else None
            )
            plain.fit()
            wrapped.fit()
        finally:
            distributed.destroy_process_group()
    return _same_weights(plain.model, wrapped.model)
