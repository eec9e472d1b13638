"""Convolutions of maps so small that a part of the kernel meets nothing but padding."""

from functools import cache

from torch import Tensor, nn
from torch.nn import functional


class PaddedConv2d(nn.Conv2d):
    """nn.Conv2d whose weights get the gradient 0 where they never meet a pixel.

    On a CPU, in bfloat16, oneDNN leaves the gradients of such weights as the memory was before
    (seen with torch 2.13: a 3 x 3 kernel with stride 2 on a map of one pixel): the training is
    another one each time, and may end in NaN. Where the padding is written out they are computed.
    """

    def forward(self, maps: Tensor) -> Tensor:
        if not any(map(_misses, maps.shape[2:], *self._geometry())):
            return super().forward(maps)
        down, right = self.padding
        maps = functional.pad(maps, (right, right, down, down))
        return functional.conv2d(
            maps, self.weight, self.bias, self.stride, 0, self.dilation, self.groups
        )

    def _geometry(self) -> tuple[tuple[int, int], ...]:
        return self.kernel_size, self.stride, self.padding, self.dilation


@cache
def _misses(side: int, kernel: int, stride: int, padding: int, dilation: int) -> bool:
    """Whether a column of the kernel lies outside of the map wherever the kernel lies."""
    last = side + 2 * padding - dilation * (kernel - 1)
    starts = range(-padding, last - padding, stride)
    columns = range(0, dilation * kernel, dilation)
    return any(all(start + column not in range(side) for start in starts) for column in columns)


def pad_openly(network: nn.Module) -> None:
    """Make every convolution of ``network`` that pads with zeros a :class:`PaddedConv2d`."""
    for module in network.modules():
        zeros = type(module) is nn.Conv2d and module.padding_mode == "zeros"
        if zeros and not isinstance(module.padding, str):
            module.__class__ = PaddedConv2d  # its weights and its place in the network stay
