"""What a network's weights begin from, so that signals neither die nor explode on their way."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from raresight.pipeline.models.classifier import Classifier, build
from raresight.pipeline.training.params import TrainParams

Layer = nn.Conv2d | nn.Linear

_GAIN_OF_RELU = 2**0.5
_IMAGES = 64  # that LSUV measures variances on


def fresh(
    params: TrainParams,
    *,
    classes: int,
    mean: Sequence[float],
    std: Sequence[float],
    seed: int,
    images: Tensor,
) -> Classifier:
    """A new model, its weights drawn; it will learn from ``images`` (n, H, W, 3)."""
    model = build(
        params.model,
        classes=classes,
        mean=mean,
        std=std,
        seed=seed,
        shape=(images.shape[1], images.shape[2]),
        cosine_scale=params.loss.implied.cosine_scale,
    )
    seen = model.standardize(images[:_IMAGES].cpu())
    if params.model.trains_features:
        initialize(model.network, params.initialization, seed=seed, images=seen)
    return model


def initialize(network: nn.Module, name: str, *, seed: int, images: Tensor | None = None) -> None:
    """Set the weights of every convolution and linear layer but the last, and their biases to 0.

    default     what torch and torchvision do
    xavier      variance 2 / (fan in + fan out) (Glorot & Bengio 2010); a ReLU halves the signal
    he          variance 2 / fan out (He et al. 2015), made for ReLU
    orthogonal  columns or rows orthogonal, times the square root of 2 (Saxe et al. 2014)
    lsuv        orthogonal, then each layer scaled to unit variance of its outputs on ``images``,
                first layer first (Mishkin & Matas 2016)

    The last layer has no ReLU behind it and keeps torch's own. torch draws from its global
    generator, so that one is seeded here and put back afterwards. ``images`` (n, ...) is what the
    network takes; only LSUV needs it.
    """
    if name == "default":
        return
    layers = _layers(network)[:-1]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for layer in layers:
            _DRAW[name](layer.weight)
            if layer.bias is not None:
                layer.bias.zero_()
        if name == "lsuv":
            if images is None:
                raise ValueError("LSUV needs images to measure variances on")
            _scale(network, layers, images)


def _layers(network: nn.Module) -> list[Layer]:
    return [m for m in network.modules() if isinstance(m, Layer)]


def _orthogonal(weight: Tensor) -> None:
    # torch's writes through a view, which a weight in channels_last does not allow
    weight.copy_(nn.init.orthogonal_(torch.empty(weight.shape), _GAIN_OF_RELU))


_DRAW: dict[str, Callable[[Tensor], object]] = {
    "xavier": nn.init.xavier_normal_,
    "he": lambda weight: nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"),
    "orthogonal": _orthogonal,
    "lsuv": _orthogonal,
}


def _scale(network: nn.Module, layers: Sequence[Layer], images: Tensor) -> None:
    """Divide each layer's weights by the deviation of its outputs, in the order of the signal."""
    was_training = network.training
    seen: list[Layer] = []
    network.eval()

    def unit_variance(layer: Layer, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if any(layer is other for other in seen):
            return output
        seen.append(layer)
        deviation = output.std()
        if deviation > 0:
            layer.weight.div_(deviation)
        return layer.forward(*inputs)

    hooks = [layer.register_forward_hook(unit_variance) for layer in layers]
    network(images)
    for hook in hooks:
        hook.remove()
    network.train(was_training)
