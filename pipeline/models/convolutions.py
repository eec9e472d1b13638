"""Convolutions of maps so small that a part of the kernel meets nothing but padding."""

from functools import cache

from torch import Tensor, nn
from torch.nn import functional

from raresight.pipeline.models.surgery import replace_modules


class PaddedConv2d(nn.Conv2d):
    """nn.Conv2d whose weights get the gradient 0 where they never meet a pixel.

    On a CPU, in bfloat16, oneDNN leaves the gradients of such weights as the memory was before
    (seen with torch 2.13: a 3 x 3 kernel with stride 2 on a map of one pixel): the training is
    another one each time, and may end in NaN. Where the padding is written out they are computed.

    It takes the place of ``convolution``, whose padding is numbers, and has its weights.
    """

    def __init__(self, convolution: nn.Conv2d):
        super().__init__(
            convolution.in_channels,
            convolution.out_channels,
            _pair(convolution.kernel_size),
            _pair(convolution.stride),
            _pair(convolution.padding),
            _pair(convolution.dilation),
            convolution.groups,
            convolution.bias is not None,
            device="meta",  # where the weights that are replaced below cost no draw
        )
        self.weight, self.bias = convolution.weight, convolution.bias

    def forward(self, maps: Tensor) -> Tensor:
        padding = _pair(self.padding)
        geometry = _pair(self.kernel_size), _pair(self.stride), padding, _pair(self.dilation)
        if not any(map(_misses, maps.shape[2:], *geometry)):
            return super().forward(maps)
        down, right = padding
        maps = functional.pad(maps, (right, right, down, down))
        return functional.conv2d(
            maps, self.weight, self.bias, self.stride, 0, self.dilation, self.groups
        )


def _pair(sizes: str | tuple[int, ...]) -> tuple[int, int]:
    """What torch's annotations leave open: a size down and one to the right."""
    if isinstance(sizes, str):
        raise TypeError(f"padding '{sizes}' is no number")
    down, right = sizes
    return down, right


@cache
def _misses(side: int, kernel: int, stride: int, padding: int, dilation: int) -> bool:
    """Whether a column of the kernel lies outside of the map wherever the kernel lies."""
    last = side + 2 * padding - dilation * (kernel - 1)
    starts = range(-padding, last - padding, stride)
    columns = range(0, dilation * kernel, dilation)
    return any(all(start + column not in range(side) for start in starts) for column in columns)


def pad_openly(network: nn.Module) -> None:
    """Make every convolution of ``network`` that pads with zeros a :class:`PaddedConv2d`."""
    replace_modules(network, _padded)


def _padded(module: nn.Module) -> PaddedConv2d | None:
    if type(module) is not nn.Conv2d or module.padding_mode != "zeros":
        return None
    return None if isinstance(module.padding, str) else PaddedConv2d(module)
