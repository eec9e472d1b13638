"""An exponential moving average of a model's weights, which often judges better than the last."""

from torch import nn
from torch.optim.swa_utils import AveragedModel

from raresight.pipeline.training.params.updates import AverageParams


def average_of(model: nn.Module, params: AverageParams | None) -> AveragedModel | None:
    """The average of ``model``, to be told of each step by ``update_parameters(model)``.

    After n steps it moves by 1 - min(decay, (1 + n) / (10 + n)) of the way, so that the initial
    weights are soon forgotten. ``state_dict`` holds all of it. The statistics of batch norm are the
    model's own. None where no average is asked for.
    """
    if params is None:
        return None

    def lerp(average, current, num_averaged) -> None:
        n = num_averaged.item()
        keep = min(params.decay, (1 + n) / (10 + n))
        for ours, theirs in zip(average, current, strict=True):
            ours.lerp_(theirs, 1 - keep)

    return AveragedModel(model, multi_avg_fn=lerp)
