"""Two-stage training: features learned on what there is, then the last layer on balanced classes.

(Kang et al. 2020, classifier re-training: imbalance harms the last layer more than the features.)
"""

import torch

from raresight.pipeline.core import seeds
from raresight.pipeline.models.classifier import head_of
from raresight.pipeline.training.diagnosis.history import Result
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.params import TrainParams
from raresight.pipeline.training.params.loss import CrossEntropy
from raresight.pipeline.training.params.schedule import Cosine


def second_stage(params: TrainParams) -> TrainParams:
    """The params of the last layer's training: balanced classes, cross-entropy, a cosine."""
    stage = params.classifier_retraining
    plain = CrossEntropy(
        name="cross_entropy", label_smoothing=0.0, class_weights=None, post_hoc_tau=None
    )
    cosine = Cosine(warmup=None, min_lr_ratio=0.0)
    changes = {
        "epochs": stage.epochs,
        "optimizer": params.optimizer.model_copy(update={"learning_rate": stage.learning_rate}),
        "sampler": params.sampler.model_copy(update={"name": "balanced"}),
        "loss": plain,
        "schedule": cosine,
        "mixing": None,
        "ema": None,
        "early_stopping": None,
        "seed": seeds.integer(params.seed, "second stage", 0),
    }
    return params.model_copy(update=changes)


def retrainer(first: Trainer) -> Trainer:
    """The trainer of the second stage, which begins from what the first one keeps.

    Only the last layer is trained, from fresh weights; all the rest is as in a test, so that the
    statistics of batch norm stay as they are.
    """
    params, classes = second_stage(first.params), len(first.counts)
    model = first.model
    model.load_state_dict(first.result.weights)
    head = head_of(model.network, classes)
    model.train_only(head)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.integer(params.seed, "last layer", 0))
        fresh = type(head)(**_shape(head))
    head.load_state_dict(fresh.state_dict())
    return Trainer(
        model,
        params,
        first.train_feed,
        first.validation.feed,
        classes=classes,
        positive=first.validation.positive,
        device=first.device,
        team=first.team,
    )


def _shape(head: torch.nn.Linear | torch.nn.Conv2d) -> dict:
    bias = head.bias is not None
    if isinstance(head, torch.nn.Linear):
        return {"in_features": head.in_features, "out_features": head.out_features, "bias": bias}
    shape = {"in_channels": head.in_channels, "out_channels": head.out_channels, "bias": bias}
    return {**shape, "kernel_size": head.kernel_size, "stride": head.stride}


def joined(first: Result, second: Result) -> Result:
    """The curves of both stages, one after the other, and what the second one keeps."""
    before = len(first.epochs)
    moved = [epoch.after(before) for epoch in second.epochs]
    best = moved[second.best.epoch - 1]
    return Result(epochs=[*first.epochs, *moved], best=best, weights=second.weights)
