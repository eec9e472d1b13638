"""Looking before training: the rate that a schedule gives, and what a network costs."""

import pytest
import torch
from full_params import full_params
from ruamel.yaml import YAML
from torch import nn

from raresight.pipeline.commands import model, schedule
from raresight.pipeline.models.classifier import Classifier
from raresight.pipeline.tuning.model_summary import summarize

_YAML = YAML(typ="safe", pure=True)

RATE = full_params()["train"]["optimizer"]["learning_rate"]


@pytest.fixture
def params(tmp_path):
    def write(**changes):
        document = full_params()
        for name, value in changes.items():
            document["train"][name] = value
        _YAML.dump(document, tmp_path / "params.yaml")
        return tmp_path / "params.yaml"

    return write


def test_the_curve_is_that_of_params_yaml_and_is_drawn(params, tmp_path):
    milestones = {"name": "multi_step", "interval": "epoch", "warmup": None, "milestones": [2, 4]}
    file = params(epochs=6, schedule=milestones)
    plot = tmp_path / "pictures/rate.png"
    curve = schedule.run(file, tmp_path / "data", plot=plot, steps_per_epoch=2)
    assert curve.rates == pytest.approx([RATE] * 4 + [RATE / 2] * 4 + [RATE / 4] * 4)
    assert curve.epochs[-1] == 5.5
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_plateau_is_drawn_as_if_validation_never_got_better(params, tmp_path):
    plateau = {"name": "on_plateau", "interval": "epoch", "warmup": None, "monitor": "val_loss",
               "patience": 1, "min_delta": 0.0, "min_lr_ratio": 0.0}  # fmt: skip
    file = params(epochs=6, schedule=plateau)
    curve = schedule.run(file, tmp_path / "data", plot=None, steps_per_epoch=1)
    assert curve.rates == pytest.approx([RATE] * 3 + [RATE / 2] * 2 + [RATE / 4])
    assert "never got better" in curve.note


def test_without_data_an_epoch_is_taken_to_have_a_hundred_steps(params, tmp_path):
    curve = schedule.run(params(), tmp_path / "data", plot=None, steps_per_epoch=None)
    assert curve.steps_per_epoch == 100


def test_the_numbers_of_a_network_are_those_of_a_count_by_hand():
    """3 -> 4 channels at 8 x 8 by 3 x 3 without bias, ReLU, 256 -> 2: all by hand."""
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(256, 2)
    )
    summary = summarize(Classifier(network, [0.0] * 3, [1.0] * 3, 2), "by hand", (8, 8))
    assert [
        (layer.name, layer.output, layer.parameters, layer.macs) for layer in summary.layers
    ] == [
        ("0", (4, 8, 8), 108, 64 * 108),
        ("3", (2,), 514, 512),
    ]
    assert (summary.parameters, summary.macs) == (622, 64 * 108 + 512)
    # The convolution keeps its input and the ReLU what it made; flattening maps that lie channels
    # last copies them, and the linear layer keeps the copy.
    assert summary.activation_bytes == 4 * (3 * 64 + 4 * 64 + 4 * 64)


def test_of_a_linear_probe_little_is_trained(params):
    probe = {"name": "linear_probe", "features": "pixels", "grid": 2}
    summary = model.run(params(model=probe))
    assert summary.trained == summary.parameters == 2 * 12 + 2


def test_every_weight_of_the_default_network_is_in_the_table(params):
    summary = model.run(params())
    assert sum(layer.parameters for layer in summary.layers) == summary.parameters
    assert sum(layer.macs for layer in summary.layers) == summary.macs
    assert torch.is_grad_enabled()
