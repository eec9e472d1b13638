"""Weights that exist already: read from a file or the library that has the network, and put in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from raresight.pipeline.core.files import sha256
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError, listing

DEFAULT = "DEFAULT"
# What some publish in the place of the weights alone, and what a wrapper puts before each name.
_HOLDERS = ("state_dict", "model", "model_state_dict")
_WRAPPERS = ("module.", "_orig_mod.")
# Heads that torchvision's nets have for training on ImageNet, and ours are built without.
_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """Tensors by name, and where they are from: ``DEFAULT`` of a library, or a path.

    ``sha256`` is that of the file; None where a library fetched and checked it. ``classes`` are
    those of the last layer, where they are known.
    """

    tensors: Mapping[str, Tensor]
    origin: str
    sha256: str | None = None
    classes: tuple[str, ...] | None = None


def read_weights(path: Path) -> Pretrained:
    """The tensors of a ``.safetensors``, ``.pth`` or ``.pt`` file; no code in it is ever run.

    Raises InputMissing where there is no file, ParamsError for another suffix, and DataError where
    it holds anything but tensors by name.
    """
    if path.suffix not in (".safetensors", ".pth", ".pt"):
        raise ParamsError(f"{path}: weights are a .safetensors, .pth or .pt file.")
    if not path.is_file():
        raise InputMissing(f"{path}, the weights to begin from, does not exist.")
    try:
        if path.suffix == ".safetensors":
            found: Any = safetensors.torch.load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    # torch has no error of its own for a file that it cannot read: any of several comes out
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise DataError(f"{path} cannot be read as weights: {_first_line(error)}") from None
    except Exception as error:  # pickle.UnpicklingError: what weights_only refuses
        raise DataError(
            f"{path} holds more than tensors, which could run code when it is read: "
            f"{_first_line(error)}"
        ) from None
    return Pretrained(tensors=_tensors(found, path), origin=str(path), sha256=sha256(path))


def put_in(network: nn.Module, weights: Pretrained, *, head: str | None) -> None:
    """Give ``network`` the ``weights``; all but those of its last layer, where its path is given as
    ``head``.

    Raises DataError with every tensor that is missing, left over or of another shape.
    """
    own = network.state_dict()
    mine = {name for name in own if head is not None and name.rpartition(".")[0] == head}
    given = {
        name: tensor
        for name, tensor in weights.tensors.items()
        if (head is None or name.rpartition(".")[0] != head) and not name.startswith(_AUXILIARY)
    }
    problems = [f"missing: {name}" for name in own if name not in given and name not in mine]
    problems += [f"left over: {name}" for name in given if name not in own]
    problems += [
        f"of another shape: {name}, {list(given[name].shape)} in the file, "
        f"{list(own[name].shape)} in the network"
        for name in own
        if name in given and given[name].shape != own[name].shape
    ]
    if problems:
        more = len(problems) - _SHOWN
        tail = [f"and {more} more"] if more > 0 else []
        raise DataError(
            f"the weights of {weights.origin} do not fit the network:\n"
            f"{listing([*problems[:_SHOWN], *tail])}\n"
            "They are of another network, or made for another stem or size of images: see "
            "train.model.name, stem and generate.image_size."
        )
    network.load_state_dict({**given, **{name: own[name] for name in mine}})


def _tensors(found: Any, path: Path) -> dict[str, Tensor]:
    """Tensors by name, out of what holds them, and without a wrapper's prefix."""
    for holder in _HOLDERS:
        if isinstance(found, Mapping) and isinstance(found.get(holder), Mapping):
            found = found[holder]
    if not isinstance(found, Mapping) or not found:
        raise DataError(f"{path} holds no tensors by name.")
    other = [str(name) for name, value in found.items() if not isinstance(value, Tensor)]
    if other:
        raise DataError(f"{path} holds more than tensors: {', '.join(other[:_SHOWN])}.")
    for wrapper in _WRAPPERS:
        if all(name.startswith(wrapper) for name in found):
            found = {name.removeprefix(wrapper): tensor for name, tensor in found.items()}
    return dict(found)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
