"""A network in numbers: what it holds, what an image costs, what training must remember."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from raresight.pipeline.models.classifier import Classifier

Output = Tensor | tuple[Any, ...]  # a few layers, such as attention, give more than one
Hook = Callable[[nn.Module, tuple[Any, ...], Output], None]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer that has weights: what it makes of one image, its parameters and its
    multiply-accumulates.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """``activation_bytes`` an image are what the forward pass of a training step keeps for the
    backward pass, in float32, the weights not counted. Elementwise work is no multiply-accumulate.
    """

    model: str
    input: tuple[int, ...]
    layers: tuple[Layer, ...]
    parameters: int
    trained: int
    macs: int
    activation_bytes: int


def summarize(model: Classifier, name: str, shape: tuple[int, int]) -> ModelSummary:
    """Run one image of ``shape`` (height, width) forward, and two as in training, on the CPU."""
    layers = tuple(_layers(model, shape))
    return ModelSummary(
        model=name,
        input=(*shape, 3),
        layers=layers,
        parameters=sum(weight.numel() for weight in model.parameters()),
        trained=sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
        macs=_macs(model, shape)["Global"],
        activation_bytes=_kept(model, shape),
    )


def _images(count: int, shape: tuple[int, int]) -> Tensor:
    return torch.zeros(count, *shape, 3, dtype=torch.uint8)


def _layers(model: Classifier, shape: tuple[int, int]) -> Iterator[Layer]:
    shapes: dict[str, tuple[int, ...]] = {}
    kinds = {
        name: module
        for name, module in model.network.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    }

    def note(name: str) -> Hook:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Output) -> None:
            shapes.setdefault(name, _shape(output))

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in kinds.items()]
    macs = _macs(model, shape)
    for hook in hooks:
        hook.remove()
    for name, output in shapes.items():  # in the order of the signal
        own = kinds[name].parameters(recurse=False)
        yield Layer(
            name=name,
            kind=_kind(kinds[name]),
            output=output,
            parameters=sum(weight.numel() for weight in own),
            macs=macs.get(f"Classifier.network.{name}", 0),
        )


def _shape(output: Output) -> tuple[int, ...]:
    first = output if isinstance(output, Tensor) else output[0]
    return tuple(first.shape[1:])


def _macs(model: Classifier, shape: tuple[int, int]) -> dict[str, int]:
    """Multiply-accumulates of one image by the path of the module; a flop counter counts two."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model.eval()(_images(1, shape))
    found = counter.get_flop_counts()
    return {path: sum(flops.values()) // 2 for path, flops in found.items()} | {
        "Global": counter.get_total_flops() // 2
    }


def _kept(model: Classifier, shape: tuple[int, int]) -> int:
    """Bytes an image that autograd holds on to; two images, as batch norm needs more than one."""
    own = {weight.untyped_storage()._cdata for weight in model.parameters()}
    own |= {buffer.untyped_storage()._cdata for buffer in model.buffers()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage.nbytes()
        return tensor

    with _as_in_training(model), torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        output = model(_images(2, shape))  # kept alive: what is freed may be counted again
    del output
    return sum(kept.values()) // 2


@contextmanager
def _as_in_training(model: nn.Module) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model.train()
        yield


def _kind(module: nn.Module) -> str:
    """What torch calls the layer: its own name, where it is derived from one of torch's layers."""
    names = [
        base.__name__
        for base in type(module).__mro__
        if base.__module__.startswith("torch.nn") and base is not nn.Module
    ]
    return names[0] if names else type(module).__name__
