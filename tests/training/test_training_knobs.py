"""Every knob of the train section, turned once: two tiny epochs, and the loss stays a number."""

import math

import pytest
import torch
from toy_training import trainer

WARM = {"name": "exponential", "epochs": 1, "start_factor": 0.1}
INVERSE = {"name": "inverse", "from_epoch": 1}
EFFECTIVE = {"name": "effective_number", "beta": 0.999, "from_epoch": 0}
PLAIN = {"name": "cross_entropy", "label_smoothing": 0.1, "class_weights": None,
         "post_hoc_tau": None}  # fmt: skip


def schedule(name, **keys):
    return {"schedule": {"name": name, "interval": "step", "warmup": WARM, **keys}}


KNOBS = {
    "plain": {"model": {"connections": "plain", "norm": "group"}},
    "dense": {"model": {"connections": "dense", "norm": "layer"}},
    "no norm": {"model": {"norm": "none"}},
    "dropout": {"model": {"dropout": {"input": 0.2, "hidden": 0.5}}},
    "stochastic depth": {"model": {"stochastic_depth": 0.2}},
    "torchvision": {"model": {"name": "squeezenet1_1", "stem": "small", "dropout": 0.1}},
    "linear probe": {"model": {"name": "linear_probe", "features": "pixels", "grid": 4}},
    "constant": schedule("constant"),
    "linear": schedule("linear", min_lr_ratio=0.0),
    "exponential": schedule("exponential", min_lr_ratio=0.1),
    "step": schedule("step", every=1, factor=0.5),
    "multi-step": schedule("multi_step", milestones=[1]),
    "polynomial": schedule("polynomial", power=2.0, min_lr_ratio=0.0),
    "cosine": schedule("cosine", min_lr_ratio=0.0, num_restarts=1, t_mult=2),
    "one-cycle": schedule(
        "one_cycle", start_factor=0.1, pct_start=0.3, min_lr_ratio=0.0, momentum={"lowest": 0.8}
    ),
    "on-plateau": schedule("on_plateau", monitor="val_loss", min_delta=0.0, min_lr_ratio=0.0),
    "by epoch": {"schedule": {"interval": "epoch"}},
    "sgd": {"optimizer": {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9}},
    "weight decay": {"regularization": {"weight_decay": 0.1}},
    "l2": {"regularization": {"weight_decay": 0.0, "l2": 0.1}},
    "l1": {"regularization": {"l1": 0.5}},
    "biases and norms": {"regularization": {"decay_bias_and_norm": True}},
    "no clipping": {"gradient_clip": None},
    "ema": {"ema": {"decay": 0.99}},
    "crop and rotation": {"batch_augment": {"flip": "horizontal", "crop": 0.7, "rotation": 20}},
    "color": {"batch_augment": {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2}},
    "erasing": {"batch_augment": {"erasing": 0.5}},
    "mixup": {"mixing": {"name": "mixup", "alpha": 0.2}},
    "cutmix": {"mixing": {"name": "cutmix", "alpha": 1.0}},
    "early stopping": {"early_stopping": {"patience": 1, "min_delta": 0.1}},
    "cross-entropy": {"loss": PLAIN},
    "inverse weights": {"loss": {**PLAIN, "class_weights": INVERSE}},
    "effective number": {"loss": {**PLAIN, "class_weights": EFFECTIVE}},
    "post-hoc adjustment": {"loss": {**PLAIN, "post_hoc_tau": 1.0}},
    "focal": {"loss": {"name": "focal", "gamma": 2.0, "class_weights": None}},
    "class-balanced focal": {"loss": {"name": "focal", "gamma": 2.0, "class_weights": EFFECTIVE}},
    "ldam with deferred weights": {
        "loss": {"name": "ldam", "max_margin": 0.5, "scale": 30.0, "class_weights": INVERSE}
    },
    "balanced": {"sampler": {"name": "balanced", "max_per_class": None}},
    "square root": {"sampler": {"name": "square_root", "max_per_class": 100}},
    "progressive": {"sampler": {"name": "progressive", "max_per_class": None}},
}


@pytest.mark.parametrize("changes", KNOBS.values(), ids=KNOBS)
def test_it_trains(changes):
    run = trainer(epochs=2, **changes)
    result = run.fit()
    assert len(result.epochs) == 2
    assert all(math.isfinite(epoch.train_loss) for epoch in result.epochs)
    assert all(torch.isfinite(weight).all() for weight in result.weights.values())


def test_l1_leaves_exact_zeros_in_the_network():
    weight = trainer(epochs=2, **KNOBS["l1"]).fit().weights["network.stages.0.first.weight"]
    assert (weight == 0).any()


def test_the_average_is_what_is_kept():
    run = trainer(epochs=2, checkpoint="last", **KNOBS["ema"])
    weights = run.fit().weights
    assert torch.equal(weights["network.head.weight"], run.ema.module.network.head.weight)
    assert not torch.equal(weights["network.head.weight"], run.model.network.head.weight)


def test_post_hoc_adjustment_is_saved_with_the_weights():
    run = trainer(epochs=2, **KNOBS["post-hoc adjustment"])
    shares = torch.tensor(run.class_counts(1) / run.class_counts(1).sum()).float()
    assert torch.allclose(run.fit().weights["score_offset"], -shares.log())
