"""An exponential moving average of a model's weights, which often predicts better than the last."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from raresight.pipeline.training.params.updates import AverageParams


def ema_of(model: nn.Module, params: AverageParams | None) -> AveragedModel | None:
    """The average of ``model``, to be told of each step by ``update_parameters(model)``.

    After n steps it moves by 1 - min(decay, (1 + n) / (10 + n)) of the way, so that the initial
    weights are soon forgotten. ``state_dict`` holds all of it. The statistics of batch norm are the
    model's own. None where no average is asked for.
    """
    if params is None:
        return None
    decay = params.decay

    def lerp(
        average: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Tensor | int
    ) -> None:
        n = int(num_averaged)
        keep = min(decay, (1 + n) / (10 + n))
        for ours, theirs in zip(average, current, strict=True):
            ours.lerp_(theirs, 1 - keep)

    return AveragedModel(model, multi_avg_fn=lerp)
