"""Two-stage training: features learned on what there is, then the last layer on balanced classes.

(Kang et al. 2020, classifier re-training: imbalance harms the last layer more than the features.)
"""

import copy

import torch

from raresight.pipeline.core import seeds
from raresight.pipeline.models.classifier import head_of
from raresight.pipeline.training.data.samplers import Balanced
from raresight.pipeline.training.diagnosis.history import History
from raresight.pipeline.training.loop import Trainer
from raresight.pipeline.training.optim.losses import CrossEntropy
from raresight.pipeline.training.optim.schedules import Cosine
from raresight.pipeline.training.params import RetrainingParams, TrainParams


def second_stage(params: TrainParams, stage: RetrainingParams) -> TrainParams:
    """The params of the last layer's training: balanced classes, cross-entropy, a cosine."""
    plain = CrossEntropy(
        name="cross_entropy", label_smoothing=0.0, class_weights=None, post_hoc_tau=None
    )
    cosine = Cosine(warmup=None, min_lr_ratio=0.0)
    changes = {
        "epochs": stage.epochs,
        "optimizer": params.optimizer.model_copy(update={"learning_rate": stage.learning_rate}),
        "sampler": Balanced(max_per_class=params.sampler.max_per_class),
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
    stage, classes = first.params.classifier_retraining, len(first.available)
    if stage is None:
        raise ValueError("train.classifier_retraining is null: there is no second stage")
    params = second_stage(first.params, stage)
    model = first.model
    model.load_state_dict(first.history.weights)
    head = head_of(model.network, classes)
    model.train_only(head)
    _draw_again(head, seed=seeds.integer(params.seed, "last layer", 0))
    return Trainer(
        model,
        params,
        first.train_feed,
        first.validation.feed,
        classes=classes,
        positive=first.validation.positive,
        device=first.device,
        group=first.group,
    )


def _draw_again(head: torch.nn.Linear | torch.nn.Conv2d, *, seed: int) -> None:
    """Give a layer the weights that torch begins with; drawn on the CPU, wherever it is."""
    fresh = copy.deepcopy(head).cpu()
    for weight in fresh.parameters():  # draws fill memory in its order: that of a new layer
        weight.data = weight.data.contiguous()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh.reset_parameters()
    head.load_state_dict(fresh.state_dict())


def joined(first: History, second: History) -> History:
    """The curves of both stages, one after the other, and what the second one keeps."""
    before = len(first.epochs)
    moved = [epoch.after(before) for epoch in second.epochs]
    best = moved[second.kept.epoch - 1]
    return History(epochs=[*first.epochs, *moved], best=best, weights=second.weights)
