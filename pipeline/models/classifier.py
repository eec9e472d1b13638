"""Classifiers by name: raw pixels in, logits out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from raresight.pipeline.models.convolutions import pad_openly
from raresight.pipeline.models.device import as_double
from raresight.pipeline.models.networks import CosineLinear
from raresight.pipeline.models.params import Model
from raresight.pipeline.models.surgery import replace_module
from raresight.pipeline.runtime.errors import ParamsError

HEADS = (nn.Linear, nn.Conv2d)  # what a last layer may be
_BATCH = 512  # images that are scored together, of up to 64 pixels a side
_PIXELS = _BATCH * 64 * 64  # of larger ones, as a network needs memory for each pixel


class Classifier(nn.Module):
    """A network that takes raw pixels: uint8 (n, H, W, 3) in, logits (n, K) out.

    Standardizing by the training images' mean and deviation is part of the model, so that nobody
    who uses it can forget it; so is what a post-hoc adjustment adds to the logits to make scores.
    """

    mean: Tensor
    std: Tensor
    score_offset: Tensor

    def __init__(
        self, network: nn.Module, mean: Sequence[float], std: Sequence[float], classes: int
    ):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("score_offset", torch.zeros(classes))
        # In tuples they are no second children.
        self._only: tuple[nn.Module, ...] = ()
        self._fixed: tuple[nn.Module, ...] = ()

    def train_only(self, part: nn.Module) -> None:
        """Let everything but ``part`` be as it is from here on, also while training."""
        self.requires_grad_(False)
        part.requires_grad_(True)
        self._only = (part,)

    def keep_fixed(self, *parts: nn.Module) -> None:
        """Let ``parts`` be as they are from here on, also while training."""
        for part in parts:
            part.requires_grad_(False)
        self._fixed = parts

    def train(self, mode: bool = True) -> "Classifier":
        super().train(mode and not self._only)
        for part in self._only:
            part.train(mode)
        for part in self._fixed:
            part.eval()
        return self

    def forward(self, pixels: Tensor) -> Tensor:
        return self.network(self.standardize(pixels))

    def standardize(self, pixels: Tensor) -> Tensor:
        """What the network sees: float (n, 3, H, W)."""
        n, height, width, channels = pixels.shape
        # A row of pixels at a time: with 3 channels alone to go over, a CPU takes 20 times as long.
        mean, std = (values.view(-1).repeat(width) for values in (self.mean, self.std))
        rows = (pixels.reshape(n, height, width * channels).float() - mean).div_(std)
        # Permuting only renames the axes: the memory stays as it is, which is channels_last.
        return rows.view(n, height, width, channels).permute(0, 3, 1, 2)

    def scores(self, logits: Tensor) -> Tensor:
        """The score of each class, float64 (n, K), each row summing to 1."""
        found = as_double(logits)
        return (found + self.score_offset.to(found.device)).softmax(1)


def in_batches(rows: np.ndarray, shape: Sequence[int]) -> list[np.ndarray]:
    """The rows (n,) to be scored, as many together as :func:`predict` is to be given of images of
    ``shape``, (height, width, ...).
    """
    size = max(1, min(_BATCH, _PIXELS // (shape[0] * shape[1])))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@torch.inference_mode()
def predict(
    model: Classifier,
    batches: Iterable[Tensor],
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits (n, K) and class scores (n, K) of each batch of images, as in a test."""
    model.eval()
    for images in batches:
        with autocast():
            logits = model(images)
        yield logits, model.scores(logits)


def build(
    params: Model,
    *,
    classes: int,
    mean: Sequence[float],
    std: Sequence[float],
    seed: int,
    shape: tuple[int, int],
    fetch: bool = True,
    cosine_scale: float | None = None,
) -> Classifier:
    """A classifier of images of ``shape`` (height, width), in channels_last.

    ``mean`` and ``std`` are per channel, in [0, 255]. Its weights are torch's and torchvision's
    defaults; see :mod:`raresight.pipeline.training.initialization` for others. torch draws from its
    global generator, so that one is seeded here and put back afterwards. A probe's published
    weights are loaded unless ``fetch`` is false, as where its own are about to be. With a
    ``cosine_scale`` the last layer compares directions only:
    :class:`~raresight.pipeline.models.networks.CosineLinear`.

    Raises ParamsError when torchvision knows no such model or it is too small an image for it, or
    its last layer is a convolution and is to be that.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = params.network(classes=classes, shape=shape, fetch=fetch)
    pad_openly(network)
    if cosine_scale is not None:
        _compare_directions(network, classes, params.name, cosine_scale)
    model = Classifier(network, mean, std, classes)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _compare_directions(network: nn.Module, classes: int, name: str, scale: float) -> None:
    path, head = named_head(network, classes)
    if not isinstance(head, nn.Linear):
        raise ParamsError(
            "train.loss.name 'ldam' needs a last layer that is linear, and that of "
            f"train.model.name '{name}' is a convolution. Choose another of the two."
        )
    replace_module(network, path, CosineLinear.instead_of(head, scale))


def head_of(network: nn.Module, classes: int) -> nn.Linear | nn.Conv2d:
    """The layer that makes the logits: the last one with an output a class."""
    return named_head(network, classes)[1]


def named_head(network: nn.Module, classes: int) -> tuple[str, nn.Linear | nn.Conv2d]:
    """The same with its path in the network."""
    layers = [(path, m) for path, m in network.named_modules() if isinstance(m, HEADS)]
    return next(found for found in reversed(layers) if len(found[1].weight) == classes)
