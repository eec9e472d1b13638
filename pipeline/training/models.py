"""Networks: one small residual CNN made for little images on a CPU, and torchvision's by name."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.core.errors import ParamsError, suggest
from pipeline.training.params import ModelParams


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut (He et al. 2016)."""

    def __init__(self, channels: int, out: int, *, stride: int):
        super().__init__()
        self.first = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(out)
        self.second = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(out)
        self.shortcut = nn.Identity()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu_(self.first_norm(self.first(x)))
        return torch.relu_(self.second_norm(self.second(hidden)) + self.shortcut(x))


class SmallResNet(nn.Module):
    """A residual network for images of 16 to 128 pixels a side.

    The stem and every stage halve the side; each stage doubles the channels. The head sees the mean
    and the maximum of every channel: a rare finding fills few pixels, and a mean alone dilutes it.
    """

    def __init__(self, *, width: int, blocks: Sequence[int], dropout: float, classes: int):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 5, 2, 2, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        stages, channels = [], width
        for stage, count in enumerate(blocks):
            for number in range(count):
                out = width * 2 ** (stage + 1)
                stages.append(Block(channels, out, stride=2 if number == 0 else 1))
                channels = out
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.stages(self.stem(x))
        return self.head(self.dropout(torch.cat((maps.mean((2, 3)), maps.amax((2, 3))), dim=1)))


class Classifier(nn.Module):
    """A network that takes raw pixels: uint8 (n, H, W, 3) in, logits (n, K) out.

    Standardising by the training images' mean and deviation is part of the model, so that nobody
    who uses it can forget it; so is what a post-hoc adjustment adds to the logits to make scores.
    """

    def __init__(
        self, network: nn.Module, mean: Sequence[float], std: Sequence[float], classes: int
    ):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("score_offset", torch.zeros(classes))

    def forward(self, pixels: Tensor) -> Tensor:
        # Permuting only renames the axes: the memory stays as it is, which is channels_last.
        images = pixels.permute(0, 3, 1, 2).float()
        return self.network((images - self.mean) / self.std)

    def scores(self, logits: Tensor) -> Tensor:
        """The score of each class, float64 (n, K), each row summing to 1."""
        return (logits.double() + self.score_offset).softmax(1)


def build(
    params: ModelParams, *, classes: int, mean: Sequence[float], std: Sequence[float], seed: int
) -> Classifier:
    """An initialised classifier in channels_last; ``mean`` and ``std`` are per channel, in [0,
    255].

    Convolutions are initialised after He et al. (2015) for ReLU. torch draws initial weights from
    its global generator, so that one is seeded here and put back afterwards.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(params, classes)
    return Classifier(network, mean, std, classes).to(memory_format=torch.channels_last)


def _network(params: ModelParams, classes: int) -> nn.Module:
    if params.name != "small_resnet":
        return _torchvision(params, classes)
    network = SmallResNet(
        width=params.width, blocks=params.blocks, dropout=params.dropout, classes=classes
    )
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def _torchvision(params: ModelParams, classes: int) -> nn.Module:
    """A torchvision classifier with fresh weights; ``dropout`` is set wherever it has dropout."""
    from pipeline.training.vision import models

    library = models()
    known = library.list_models(module=library)
    if params.name not in known:
        raise ParamsError(f"train.model.name: {suggest(params.name, ['small_resnet', *known])}")
    network = library.get_model(params.name, weights=None, num_classes=classes)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = params.dropout
    return network
