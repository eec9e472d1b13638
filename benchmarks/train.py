"""train: an epoch beside the usual DataLoader loop, and beside steps on one batch in memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks.inputs import draw, pathology, write_params, write_pngs
from benchmarks.measure import Goal, Measurement, Sizes, Timer, clock, interleave
from pipeline.core.params import load_section
from pipeline.dataset import Dataset
from pipeline.training import device as devices
from pipeline.training.feed import Feed
from pipeline.training.initialisation import fresh
from pipeline.training.loop import Progress, Trainer
from pipeline.training.losses import make_loss
from pipeline.training.models import Classifier
from pipeline.training.optimizers import Update
from pipeline.training.params import TrainParams
from pipeline.training.vision import models

_CPU, _MEAN, _STD = torch.device("cpu"), (180.0, 130.0, 170.0), (40.0, 45.0, 35.0)
_TRAIN = {
    "epochs": 1,
    "sampler": {"name": "shuffled", "max_per_class": None},
    "schedule": {"name": "constant", "by": "step", "warmup": None},
    "early_stopping": None,
    "precision": "float32",
}


def measure(folder: Path, sizes: Sizes) -> Iterator[Measurement]:
    """Training steps of one epoch in float32 on the CPU, on all cores; validation is not timed."""
    half = sizes.learned // 2
    amount = pathology(sizes.side, counts={"mitotic": half, "normal": half})
    params = write_params(folder / "params.yaml", {"generate": amount, "train": _TRAIN})
    dataset, section = draw(params, folder / "data"), load_section(params, "train", TrainParams)
    write_pngs(folder / "png", dataset.images[:], dataset.labels)
    devices.prepare(_CPU, None)  # the peers profit from it, too
    ours, loader, fixed = interleave(
        _epoch_of_ours(section, dataset),
        _epoch_of_loader(section, folder / "png"),
        _steps_on_one_batch(section, dataset),
        rounds=sizes.rounds,
    )
    for peer, theirs, bound in (
        ("DataLoader loop, PNG ImageFolder, 2 workers", loader, 2.2),
        ("the same model on one batch in memory", fixed, 0.85),
    ):
        yield Measurement(
            what="train: one epoch, float32",
            peer=peer,
            ours=ours,
            theirs=theirs,
            goal=Goal(kind="speed-up", bound=bound),
            images=len(dataset),
        )


def _model(params: TrainParams) -> Classifier:
    images = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    return fresh(params, classes=2, mean=_MEAN, std=_STD, seed=1, images=images)


def _epoch_of_ours(params: TrainParams, dataset: Dataset) -> Timer:
    rows = np.arange(len(dataset))
    val = np.concatenate((rows[:8], rows[-8:]))  # both classes: the trainer judges every epoch
    trainer = Trainer(
        _model(params),
        params,
        Feed(dataset.images, rows, dataset.targets, _CPU),
        Feed(dataset.images, val, dataset.targets[val], _CPU),
        classes=2,
        positive=0,
        device=_CPU,
    )

    def epoch() -> float:
        trainer.progress = Progress()  # else the training is at its end, and stays there
        return len(dataset) / trainer.fit().epochs[-1].images_per_second

    return epoch


def _epoch_of_loader(params: TrainParams, folder: Path) -> Timer:
    """As in torchvision's references: tensors of one image at a time, NCHW, AdamW."""
    models()  # torchvision imports only after this where its build does not fit torch's
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    steps = [
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([m / 255 for m in _MEAN], [s / 255 for s in _STD]),
    ]
    images = ImageFolder(str(folder), transforms.Compose(steps))
    loader = DataLoader(images, params.batch_size, shuffle=True, num_workers=2)
    network = _model(params).network.to(memory_format=torch.contiguous_format).train()
    rate, decay = params.optimizer.learning_rate, params.regularisation.weight_decay
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    loss_of = torch.nn.CrossEntropyLoss()

    def epoch() -> None:
        for batch, targets in loader:
            loss = loss_of(network(batch), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()

    return clock(epoch)


def _steps_on_one_batch(params: TrainParams, dataset: Dataset) -> Timer:
    """What no loop can beat: forward, backward and step, with nothing to fetch or to augment."""
    model = _model(params).train()
    update = Update(model, params)
    loss_of = make_loss(params.loss, np.ones(2))
    batch = torch.from_numpy(dataset.images[: params.batch_size])
    targets = torch.from_numpy(dataset.targets[: params.batch_size])
    starts = range(0, len(dataset), params.batch_size)
    sizes = [min(params.batch_size, len(dataset) - start) for start in starts]

    def epoch() -> None:
        for size in sizes:
            loss = loss_of(model(batch[:size]), targets[:size]).mean()
            update.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            update.step()

    return clock(epoch)
