"""The U-Net of a flow, and images as it sees them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from raresight.pipeline.core import seeds
from raresight.pipeline.enlarging.flow.library import diffusers

_GROUPS = 8  # of group normalization, which divide every width
_LARGE, _VERY_LARGE = 32, 128  # sides from which 2 x 2 and 4 x 4 pixels are one place of the net


@dataclass(frozen=True, kw_only=True)
class Size:
    """Channels at each resolution, each half of the one before; blocks at each; and whether the
    lowest one attends to all places at once."""

    channels: tuple[int, ...]
    blocks: int
    attends: bool


SIZES = {
    "tiny": Size(channels=(16, 32), blocks=1, attends=False),
    "small": Size(channels=(32, 48, 64), blocks=1, attends=False),
    "medium": Size(channels=(64, 96, 128), blocks=2, attends=True),
    "large": Size(channels=(128, 192, 256), blocks=2, attends=True),
}


def unet(size: Size, *, channels: int, classes: int, seed: int) -> nn.Module:
    """diffusers' U-Net that predicts ``channels`` from as many, a time and a class, of which there
    are ``classes`` and one more that stands for any; ``seed`` draws its weights."""
    *plain, lowest = ["DownBlock2D"] * len(size.channels)
    down = (*plain, "AttnDownBlock2D" if size.attends else lowest)
    up = tuple(name.replace("Down", "Up") for name in reversed(down))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.integer(seed, "flow weights", 0))
        made: nn.Module = diffusers().UNet2DModel(
            in_channels=channels,
            out_channels=channels,
            block_out_channels=size.channels,
            layers_per_block=size.blocks,
            down_block_types=down,
            up_block_types=up,
            norm_num_groups=_GROUPS,
            num_class_embeds=classes + 1,
            dropout=0.1,
        )
    return made


@dataclass(frozen=True, kw_only=True)
class Packing:
    """How images (H, W, C) lie in the net: a ``factor`` of 2 or 4 puts so many pixels of each side
    into channels, and sides are filled up to what the net's resolutions need."""

    height: int
    width: int
    channels: int
    levels: int

    @property
    def factor(self) -> int:
        side = min(self.height, self.width)
        return 1 if side < _LARGE else 2 if side < _VERY_LARGE else 4

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width in the net."""
        step, factor = self.factor * 2 ** (self.levels - 1), self.factor
        high, wide = (-(-side // step) * step // factor for side in (self.height, self.width))
        return self.channels * factor**2, high, wide

    def pack(self, images: Tensor) -> Tensor:
        """uint8 (n, H, W, C) as float32 in [-1, 1] of :attr:`shape`."""
        pixels = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        _, high, wide = (side * self.factor for side in self.shape)
        filled = functional.pad(
            pixels, (0, wide - self.width, 0, high - self.height), mode="replicate"
        )
        return functional.pixel_unshuffle(filled, self.factor)

    def unpack(self, packed: Tensor) -> Tensor:
        """The other way round; what lies beyond [-1, 1] is cut off."""
        pixels = functional.pixel_shuffle(packed, self.factor)
        pixels = pixels[:, :, : self.height, : self.width].clamp(-1, 1)
        return ((pixels + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1)
