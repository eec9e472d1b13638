"""A family of small CNNs for little images on a CPU, and a linear model to compare them with."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from raresight.pipeline.models.params import SmallCNNParams


def norm_of(kind: str, channels: int) -> nn.Module:
    """Batch norm, group norm (in at most 8 groups), layer norm (one group), or nothing."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "none":
        return nn.Identity()
    return nn.GroupNorm(math.gcd(8, channels) if kind == "group" else 1, channels)


def convolution(channels: int, out: int, side: int, *, stride: int, norm: str) -> nn.Conv2d:
    """A padded convolution; a norm after it makes a bias of its own idle."""
    return nn.Conv2d(channels, out, side, stride, side // 2, bias=norm == "none")


class CosineLinear(nn.Linear):
    """``scale`` times the cosine between the features and each class's weights: (n, F) to (n, K).

    The head of Cao et al. 2019, where no class gets larger logits by longer weights.
    """

    def __init__(self, features: int, classes: int, *, scale: float, device: str | None = None):
        super().__init__(features, classes, bias=False, device=device)
        self.scale = scale

    @classmethod
    def instead_of(cls, head: nn.Linear, scale: float) -> "CosineLinear":
        """With the weights of ``head``; without its bias."""
        new = cls(head.in_features, head.out_features, scale=scale, device="meta")
        new.weight = head.weight  # on "meta" the weights that it replaces cost no draw
        return new

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # in bfloat16 logits are steps of 0.1
            weight = functional.normalize(self.weight.float())
            return self.scale * functional.linear(functional.normalize(x.float()), weight)


class Block(nn.Module):
    """Two 3x3 convolutions, around them a shortcut if ``residual`` (He et al. 2016).

    In training the convolutions are left out for an image with probability ``skip``, and counted
    more when they are not: stochastic depth (Huang et al. 2016), in the inverted form of dropout.
    """

    def __init__(
        self, channels: int, out: int, *, stride: int, norm: str, residual: bool, skip: float
    ):
        super().__init__()
        self.first = convolution(channels, out, 3, stride=stride, norm=norm)
        self.first_norm = norm_of(norm, out)
        self.second = convolution(out, out, 3, stride=1, norm=norm)
        self.second_norm = norm_of(norm, out)
        self.residual, self.skip = residual, skip
        self.shortcut: nn.Module = nn.Identity()
        if residual and (stride != 1 or channels != out):
            self.shortcut = nn.Sequential(
                convolution(channels, out, 1, stride=stride, norm=norm), norm_of(norm, out)
            )

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu_(self.first_norm(self.first(x)))
        new = self.second_norm(self.second(hidden))
        if not self.residual:
            return torch.relu_(new)
        if self.skip and self.training:
            new = new * functional.dropout(new.new_ones(len(new), 1, 1, 1), self.skip)
        return torch.relu_(new + self.shortcut(x))


class DenseLayer(nn.Module):
    """Norm, ReLU and a 3x3 convolution whose maps are added to those that came (Huang et al. 2017).

    ``pool`` first halves the side.
    """

    def __init__(self, channels: int, growth: int, *, pool: bool, norm: str):
        super().__init__()
        self.pool = nn.AvgPool2d(2, ceil_mode=True) if pool else nn.Identity()
        self.norm = norm_of(norm, channels)
        self.convolution = nn.Conv2d(channels, growth, 3, 1, 1, bias=norm == "none")

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(x)
        return torch.cat((x, self.convolution(torch.relu(self.norm(x)))), dim=1)


class SmallCNN(nn.Module):
    """A convolutional network for images of 16 to 128 pixels a side.

    The stem and every stage halve the side; each stage doubles the channels, whatever the
    connections. The head sees the mean and the maximum of every channel: a rare finding fills few
    pixels, and a mean alone dilutes it.
    """

    def __init__(self, params: "SmallCNNParams", classes: int):
        super().__init__()
        width, norm = params.width, params.norm
        self.input_dropout = nn.Dropout(params.dropout.input)
        self.stem = nn.Sequential(
            convolution(3, width, 5, stride=2, norm=norm), norm_of(norm, width), nn.ReLU(True)
        )
        stage_of = _dense if params.connections == "dense" else _blocks
        self.stages = nn.Sequential(*stage_of(params))
        channels = width * 2 ** len(params.blocks)
        self.dropout = nn.Dropout(params.dropout.hidden)
        self.head = nn.Linear(2 * channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.stages(self.stem(self.input_dropout(x)))
        return self.head(self.dropout(torch.cat((maps.mean((2, 3)), maps.amax((2, 3))), dim=1)))


def _blocks(params: "SmallCNNParams") -> list[nn.Module]:
    """Plain or residual blocks; the chance to be skipped grows linearly with the depth."""
    total, channels = sum(params.blocks), params.width
    blocks: list[nn.Module] = []
    for stage, count in enumerate(params.blocks):
        for number in range(count):
            out = params.width * 2 ** (stage + 1)
            block = Block(
                channels,
                out,
                stride=2 if number == 0 else 1,
                norm=params.norm,
                residual=params.connections == "residual",
                skip=params.stochastic_depth * (len(blocks) + 1) / total,
            )
            blocks.append(block)
            channels = out
    return blocks


def _dense(params: "SmallCNNParams") -> list[nn.Module]:
    """Dense layers; those of a stage share what it has to add, and a last norm ends it all."""
    layers: list[nn.Module] = []
    channels = params.width
    for stage, count in enumerate(params.blocks):
        out = params.width * 2 ** (stage + 1)
        for number in range(count):
            growth = (out - channels) // (count - number)
            layers.append(DenseLayer(channels, growth, pool=number == 0, norm=params.norm))
            channels += growth
    return [*layers, norm_of(params.norm, channels), nn.ReLU(True)]


class LinearProbe(nn.Module):
    """One linear layer on features that are not trained: the floor a network has to beat.

    The features are the image's pixels, averaged to ``grid`` x ``grid``, or what a trained network
    makes of the image.
    """

    def __init__(self, features: nn.Module, size: int, classes: int):
        super().__init__()
        self.features = features.requires_grad_(False).eval()
        self.head = nn.Linear(size, classes)

    def train(self, mode: bool = True) -> "LinearProbe":
        super().train(mode)
        self.features.eval()  # else batch norm would go on learning
        return self

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).flatten(1))


def pixels_of(grid: int) -> nn.Module:
    """Features (n, 3 * grid * grid): the mean colour of each cell."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(grid), nn.Flatten())
