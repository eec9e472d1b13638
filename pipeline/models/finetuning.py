"""Training a network that knows something already: parts that rest, parts that learn slowly."""

from collections.abc import Iterator
from typing import Literal

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from raresight.pipeline.models.classifier import Classifier, head_of, named_head

Freeze = Literal["none", "stem", "all_but_head"]
_MOST = 0.9  # a part with more of the weights than this is taken apart into its own


def freeze(model: Classifier, how: Freeze, classes: int) -> None:
    """Let a part of the network be as it is while the rest is trained.

    ``stem`` is the first convolution and the normalization behind it; ``all_but_head`` leaves the
    last layer alone to be trained.
    """
    if how == "all_but_head":
        model.train_only(head_of(model.network, classes))
    elif how == "stem":
        model.keep_fixed(*_stem(model.network))


def _stem(network: nn.Module) -> list[nn.Module]:
    leaves = [module for module in network.modules() if not list(module.children())]
    first = next(i for i, leaf in enumerate(leaves) if isinstance(leaf, nn.Conv2d | nn.Linear))
    behind = leaves[first + 1 : first + 2]
    norms = [leaf for leaf in behind if isinstance(leaf, _NormBase | nn.LayerNorm | nn.GroupNorm)]
    return [leaves[first], *norms]


def rate_scales(network: nn.Module, classes: int, decay: float) -> dict[int, float]:
    """What each weight's learning rate is multiplied by, by the weight's ``id``.

    1 for the last layer, ``decay`` for the stage before it, its square for the one before that, and
    so on down to the stem: layer-wise decay of the learning rate, as for BERT (Howard & Ruder 2018,
    https://doi.org/10.18653/v1/P18-1031), by stages.
    """
    path, last = named_head(network, classes)
    head = {id(weight) for weight in last.parameters()}
    # Hidden layers that stand with the last one do not count for what the network is made of.
    top = network.get_submodule(path.partition(".")[0])
    total = _size(network) - _size(top)
    stages = [
        [weight for weight in weights if id(weight) not in head]
        for weights in _stages(network, total)
    ]
    below = [stage for stage in stages if stage]
    scales = dict.fromkeys(head, 1.0)
    for depth, stage in enumerate(reversed(below), start=1):
        scales |= {id(weight): decay**depth for weight in stage}
    return scales


def _stages(network: nn.Module, total: int) -> list[list[nn.Parameter]]:
    """The weights of each stage, first to last; a norm belongs to the convolution before it."""
    stages: list[list[nn.Parameter]] = []
    taken: set[int] = set()
    for part in _parts(network, total):
        fresh = [weight for weight in part.parameters() if id(weight) not in taken]
        taken |= set(map(id, fresh))
        alone = not any(isinstance(m, nn.Conv2d | nn.Linear) for m in part.modules())
        if fresh and alone and stages:
            stages[-1].extend(fresh)
        elif fresh:
            stages.append(fresh)
    rest = [weight for weight in network.parameters() if id(weight) not in taken]
    return [rest, *stages] if rest else stages  # class tokens and the like belong to no module


def _parts(module: nn.Module, total: int) -> Iterator[nn.Module]:
    for child in module.children():
        if _size(child) > _MOST * total and list(child.children()):
            yield from _parts(child, total)
        else:
            yield child


def _size(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())
