"""Stems of torchvision's networks, made for images of 224 pixels, adapted to small ones."""

from types import ModuleType
from typing import Any, TypeVar

from torch import nn

from raresight.pipeline.models.surgery import replace_module
from raresight.pipeline.runtime.errors import ParamsError

_PATCHES = 16  # a vision transformer cuts an image into so many rows of patches, about
_MAXVIT_STRIDE = 32

Kind = TypeVar("Kind", bound=nn.Module)


def options_for(name: str, *, shape: tuple[int, int], small: bool) -> dict[str, Any]:
    """What the builder of network ``name`` must be told of images of ``shape`` (height, width)."""
    if name.startswith("vit_"):
        patch, side = int(name.rpartition("_")[2]), _square(name, shape)
        # Only the number of patches counts for it; keep_resolution makes them smaller.
        return {"image_size": side // _patch(side) * patch if small else side}
    if name == "googlenet":
        return {"aux_logits": False, "init_weights": False}
    if name == "inception_v3":
        return {"aux_logits": False, "init_weights": False}
    return {}


def maxvit(library: ModuleType, *, classes: int, shape: tuple[int, int]) -> nn.Module:
    """torchvision's maxvit_t with windows that fit: its own fit multiples of 224 pixels alone.

    Raises ParamsError when the side is no multiple of 32.
    """
    side = _square("maxvit_t", shape)
    if side % _MAXVIT_STRIDE:
        raise ParamsError(
            f"train.model.name: maxvit_t takes images whose side is a multiple of {_MAXVIT_STRIDE} "
            f"pixels, not {side}. Set generate.image_size, or choose another model."
        )
    return library.maxvit.MaxVit(
        input_size=(side, side),
        stem_channels=64,
        partition_size=side // _MAXVIT_STRIDE,
        block_channels=[64, 128, 256, 512],
        block_layers=[2, 2, 5, 2],
        head_dim=32,
        stochastic_depth_prob=0.2,
        num_classes=classes,
    )


def _square(name: str, shape: tuple[int, int]) -> int:
    """The side of square images; ParamsError of others, which network ``name`` cannot take."""
    height, width = shape
    if height != width:
        raise ParamsError(
            f"train.model.name: {name} takes square images, not {height} x {width}. "
            "Set generate.image_size to one number, or choose another model."
        )
    return height


def _patch(side: int) -> int:
    """The divisor of ``side`` that cuts it into about 16 patches a row."""
    divisors = [size for size in range(1, side + 1) if side % size == 0]
    return min(divisors, key=lambda size: abs(side / size - _PATCHES))


def keep_resolution(network: nn.Module, *, shape: tuple[int, int]) -> None:
    """Let the first layers keep the side of a small image, as nets for CIFAR do.

    A strided first convolution takes every pixel, one of 7 pixels and more becomes 3 x 3, and the
    pooling behind it goes; patches become half as large. Networks whose first convolution has no
    stride are left as they are.
    """
    patches = getattr(network, "conv_proj", None)
    if isinstance(patches, nn.Conv2d):  # a vision transformer
        side = _square("a vision transformer", shape)
        patch = _patch(side)
        replace_module(network, "conv_proj", nn.Conv2d(3, patches.out_channels, patch, patch))
        transformer: Any = network  # whose attributes torch does not declare
        transformer.image_size, transformer.patch_size = side, patch
        return
    found = _first(network, nn.Conv2d)
    if found is None:
        return
    path, first = found
    stride, kernel = first.stride[0], first.kernel_size[0]
    if stride == 1:
        return
    if stride == kernel:
        replace_module(network, path, _like(first, kernel // 2, kernel // 2, 0))
        return
    padding = 1 if kernel > 3 else first.padding
    replace_module(network, path, _like(first, min(kernel, 3), 1, padding))
    pooling = _first(network, nn.MaxPool2d)
    if pooling is not None:
        replace_module(network, pooling[0], nn.Identity())


def _like(conv: nn.Conv2d, kernel: int, stride: int, padding: Any) -> nn.Conv2d:
    bias = conv.bias is not None
    return nn.Conv2d(conv.in_channels, conv.out_channels, kernel, stride, padding, bias=bias)


def _first(network: nn.Module, kind: type[Kind]) -> tuple[str, Kind] | None:
    found = ((path, m) for path, m in network.named_modules() if isinstance(m, kind))
    return next(found, None)
