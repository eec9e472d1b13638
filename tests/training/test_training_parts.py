"""Models, checkpoints and scores, each against something independent."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score

from pipeline.core.errors import DataError, ParamsError
from pipeline.training import checkpoint
from pipeline.training.models import build
from pipeline.training.params import ModelParams
from pipeline.training.scores import ranking

SMALL = ModelParams(name="small_resnet", width=4, blocks=[1, 1], dropout=0.0)


def test_standardising_is_part_of_the_model():
    model = build(SMALL, classes=2, mean=[10, 20, 30], std=[2, 4, 5], seed=1).eval()
    pixels = torch.randint(0, 256, (2, 16, 16, 3), generator=torch.Generator().manual_seed(0))
    by_hand = (pixels - torch.tensor([10, 20, 30])) / torch.tensor([2, 4, 5])
    expected = model.network(by_hand.permute(0, 3, 1, 2))
    assert torch.allclose(model(pixels.to(torch.uint8)), expected, atol=1e-5)


def test_initial_weights_keep_the_variance_of_he():
    model = build(ModelParams(name="small_resnet", width=32, blocks=[1], dropout=0.0),
                  classes=2, mean=[0] * 3, std=[1] * 3, seed=1)  # fmt: skip
    weight = model.network.stages[0].second.weight
    assert weight.var().item() == pytest.approx(2 / (64 * 9), rel=0.05)


def test_building_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    build(SMALL, classes=2, mean=[0] * 3, std=[1] * 3, seed=1)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_torchvision_model_by_name():
    params = ModelParams(name="resnet18", width=None, blocks=None, dropout=0.0)
    model = build(params, classes=3, mean=[0] * 3, std=[1] * 3, seed=1).eval()
    assert model(torch.zeros((2, 32, 32, 3), dtype=torch.uint8)).shape == (2, 3)


def test_an_unknown_model_names_the_nearest():
    params = ModelParams(name="resnet19", width=None, blocks=None, dropout=0.0)
    with pytest.raises(ParamsError, match="Did you mean 'resnet18'"):
        build(params, classes=2, mean=[0] * 3, std=[1] * 3, seed=1)


def test_ranking_agrees_with_scikit_learn():
    rng = np.random.Generator(np.random.PCG64(1))
    targets, score = rng.integers(0, 2, 200), rng.random(200)
    probabilities = np.stack([1 - score, score], axis=1)
    average_precision, f1 = ranking(probabilities, targets, 1)
    assert average_precision == pytest.approx(average_precision_score(targets, score))
    by_hand = max(f1_score(targets, score >= threshold) for threshold in score)
    assert f1 == pytest.approx(by_hand)


def card(**changes):
    values = {
        "model": SMALL.model_dump(), "classes": ("a", "b"), "positive": "a",
        "image_shape": (16, 16, 3), "mean": (1.0, 2.0, 3.0), "std": (4.0, 5.0, 6.0),
        "class_shares": {"a": 0.1, "b": 0.9}, "score_prior": None, "loss": "logit_adjusted",
        "epoch": 3, "val_average_precision": 0.5,
    }  # fmt: skip
    return checkpoint.ModelCard(**values | changes)


def test_a_saved_model_comes_back_to_the_bit(tmp_path):
    model = build(SMALL, classes=2, mean=[1, 2, 3], std=[4, 5, 6], seed=7)
    checkpoint.save(tmp_path, model.state_dict(), card())
    loaded, read = checkpoint.load(tmp_path)
    assert tuple(read.classes) == ("a", "b")
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, loaded.state_dict()[name]), name


def test_weights_of_another_model_are_refused(tmp_path):
    model = build(SMALL, classes=3, mean=[1] * 3, std=[1] * 3, seed=7)
    checkpoint.save(tmp_path, model.state_dict(), card())
    with pytest.raises(DataError, match="no model that can be read"):
        checkpoint.load(tmp_path)
