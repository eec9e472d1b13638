"""What an epoch of ours is timed beside: the same net and batch size in other loops."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from benchmarks.measure import Timer, clock
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.models import device as devices
from raresight.pipeline.models.classifier import Classifier
from raresight.pipeline.models.torchvision_models import models
from raresight.pipeline.training.initialization import fresh
from raresight.pipeline.training.optim.update import Update
from raresight.pipeline.training.params import TrainParams

CPU, _MEAN, _STD = torch.device("cpu"), (180.0, 130.0, 170.0), (40.0, 45.0, 35.0)


def model_of(params: TrainParams, side: int) -> Classifier:
    """The net that all of them train."""
    images = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    return fresh(params, classes=2, mean=_MEAN, std=_STD, seed=1, images=images)


def loader_loop(
    params: TrainParams, folder: Path, side: int, device: torch.device = CPU, *, workers: int = 2
) -> Timer:
    """As in torchvision's references: PNG files, transforms an image, workers, accuracy.

    NCHW, in the precision of ``params``; flips and shifts are ours, quarter turns are left out.
    """
    models()  # torchvision imports only after this where its build does not fit torch's
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    steps = [
        transforms.RandomHorizontalFlip(),
        transforms.RandomVerticalFlip(),
        transforms.RandomCrop(side, params.batch_augment.shift, padding_mode="reflect"),
        transforms.ToTensor(),
        transforms.Normalize([m / 255 for m in _MEAN], [s / 255 for s in _STD]),
    ]
    images = ImageFolder(str(folder), transforms.Compose(steps))
    on_gpu = device.type == "cuda"
    loader = DataLoader(
        images, params.batch_size, shuffle=True, num_workers=workers, pin_memory=on_gpu
    )
    network = model_of(params, side).network.to(device, memory_format=torch.contiguous_format)
    network.train()
    bfloat16 = devices.use_bfloat16(params.precision, device)
    rate, decay = params.optimizer.learning_rate, params.regularization.weight_decay
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    loss_of = torch.nn.CrossEntropyLoss()

    def epoch() -> None:
        for some, labels in loader:
            batch = some.to(device, non_blocking=True)
            targets = labels.to(device, non_blocking=True)
            with devices.autocast(device, bfloat16=bfloat16):
                logits = network(batch)
            loss = loss_of(logits.float(), targets)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), params.gradient_clip)
            optimizer.step()
            loss.item(), (logits.argmax(1) == targets).float().mean().item()

    return clock(epoch)


def one_batch(params: TrainParams, dataset: Dataset, device: torch.device = CPU) -> Timer:
    """What no loop can beat: forward, backward and step, with nothing to fetch or to augment."""
    images = torch.from_numpy(dataset.images[: params.batch_size]).to(device)
    targets = torch.from_numpy(dataset.targets[: params.batch_size]).to(device)
    starts = range(0, len(dataset), params.batch_size)
    sizes = [min(params.batch_size, len(dataset) - start) for start in starts]
    batches = lambda: ((images[:size], targets[:size]) for size in sizes)  # noqa: E731
    return _steps(params, dataset, batches, device)


def has_ffcv() -> bool:
    return find_spec("ffcv") is not None


def ffcv_loop(params: TrainParams, dataset: Dataset, file: Path) -> Timer:
    """ffcv's raw images, flipped and shifted by its compiled workers, for steps that are ours."""
    from ffcv.fields import IntField, RGBImageField
    from ffcv.fields.decoders import IntDecoder, SimpleRGBImageDecoder
    from ffcv.loader import Loader, OrderOption
    from ffcv.transforms import (
        RandomHorizontalFlip,
        RandomTranslate,
        Squeeze,
        ToTensor,
        ToTorchImage,
    )
    from ffcv.writer import DatasetWriter

    fields = {"image": RGBImageField(write_mode="raw"), "label": IntField()}
    pairs = [(dataset.images[i], int(dataset.targets[i])) for i in range(len(dataset))]
    DatasetWriter(str(file), fields, num_workers=1).from_indexed_dataset(pairs)
    shift = RandomTranslate(params.batch_augment.shift)
    loader = Loader(
        str(file),
        batch_size=params.batch_size,
        num_workers=2,
        order=OrderOption.RANDOM,
        os_cache=True,
        pipelines={
            "image": [
                SimpleRGBImageDecoder(),
                RandomHorizontalFlip(),
                shift,
                ToTensor(),
                ToTorchImage(),
            ],
            "label": [IntDecoder(), ToTensor(), Squeeze(1)],
        },
        drop_last=False,
    )
    return _steps(
        params,
        dataset,
        lambda: ((images.permute(0, 2, 3, 1), targets) for images, targets in loader),
    )


def _steps(
    params: TrainParams,
    dataset: Dataset,
    batches: Callable[[], Iterable[tuple[Tensor, Tensor]]],
    device: torch.device = CPU,
) -> Timer:
    """Steps on ready batches, in our precision and memory format."""
    model = model_of(params, dataset.image_shape[0]).to(device).train()
    update, loss_of = Update(model, params), params.loss.function(np.ones(2), device=device)
    bfloat16 = devices.use_bfloat16(params.precision, device)

    def epoch() -> None:
        for images, targets in batches():
            with devices.autocast(device, bfloat16=bfloat16):
                logits = model(images)
            loss = loss_of(logits, targets).mean()
            update.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            update.step()
        wait_for(device)

    return clock(epoch)


def wait_for(device: torch.device) -> None:
    """Until a GPU has done what it was told; a CPU has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
