"""torchvision's classifiers, for images as small as ours."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from raresight.pipeline.models.pretrained import Pretrained
from raresight.pipeline.models.stem_adapters import keep_resolution, maxvit, options_for
from raresight.pipeline.models.surgery import replace_module
from raresight.pipeline.models.torchvision_registry import models
from raresight.pipeline.runtime.errors import InputMissing, ParamsError

if TYPE_CHECKING:
    from raresight.pipeline.models.params import Normalization, PretrainableParams


def classifier(params: "PretrainableParams", *, classes: int, shape: tuple[int, int]) -> nn.Module:
    """A torchvision classifier with fresh weights, for images of ``shape`` (height, width).

    Raises ParamsError where it is none for so small images.
    """
    network = network_of(params.name, classes=classes, shape=shape, small=params.stem == "small")
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = params.dropout
    try_on(network, params, shape)
    return network


def network_of(name: str, *, classes: int, shape: tuple[int, int], small: bool) -> nn.Module:
    """A known classifier for images of ``shape``, its stem adapted to ``small`` ones."""
    library = models()
    if name == "maxvit_t":
        return maxvit(library, classes=classes, shape=shape)
    options = options_for(name, shape=shape, small=small)
    network = library.get_model(name, weights=None, num_classes=classes, **options)
    if small:
        keep_resolution(network, shape=shape)
    return network


def published(name: str) -> Pretrained:
    """The weights that torchvision publishes for a classifier, the newest.

    Raises InputMissing when they cannot be fetched.
    """
    try:
        tensors = (
            models().get_model_weights(name).DEFAULT.get_state_dict(progress=False, check_hash=True)
        )
    except OSError as error:
        raise InputMissing(
            f"train.model.weights: the published weights of {name} cannot be fetched ({error}). "
            "Connect to the network once, or name a file that holds them."
        ) from None
    return Pretrained(tensors=tensors, origin=f"torchvision {name}, DEFAULT")


def normalization(name: str) -> "Normalization":
    """Mean and deviation per channel, in [0, 255], that the published weights were made with."""
    preset = models().get_model_weights(name).DEFAULT.transforms()
    return tuple(255 * value for value in preset.mean), tuple(255 * value for value in preset.std)


def features(name: str, *, shape: tuple[int, int], fetch: bool) -> tuple[nn.Module, int]:
    """A torchvision classifier without its last layer, with published weights, and its features.

    Raises InputMissing when the weights cannot be fetched.
    """
    try:
        network = models().get_model(name, weights="DEFAULT" if fetch else None)
    except OSError as error:
        raise InputMissing(
            f"train.model.features: the published weights of {name} cannot be fetched ({error}). "
            "Connect to the network once, or set it to 'pixels'."
        ) from None
    layers = [(path, m) for path, m in network.named_modules() if isinstance(m, nn.Linear)]
    if not layers:
        raise ParamsError(f"train.model.features: {name} does not end in a linear layer.")
    path, last = layers[-1]
    replace_module(network, path, nn.Identity())
    return network, last.in_features


def try_on(network: nn.Module, params: "PretrainableParams", shape: tuple[int, int]) -> None:
    """One image through the network: some need larger ones than there are."""
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, *shape))
    except RuntimeError as error:
        raise ParamsError(
            f"train.model.name: {params.name} (stem: {params.stem}) cannot take images of "
            f"{shape[0]} x {shape[1]} pixels: {error}. Choose another stem or model."
        ) from None
    network.train(was_training)
