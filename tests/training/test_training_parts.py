"""Checkpoints and scores, each against something independent."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score
from toy_training import train_params

from raresight.pipeline.models import checkpoint
from raresight.pipeline.models.classifier import build
from raresight.pipeline.runtime.errors import DataError, ParamsError
from raresight.pipeline.training.scores import ranking

SMALL = train_params(model={"width": 4, "blocks": [1, 1]}).model


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
        "cosine_scale": None, "seed": 1, "epoch": 3, "val_average_precision": 0.5,
    }  # fmt: skip
    return checkpoint.ModelCard(**values | changes)


def test_a_saved_model_comes_back_to_the_bit(tmp_path):
    model = build(SMALL, classes=2, mean=[1, 2, 3], std=[4, 5, 6], seed=7, shape=(16, 16))
    checkpoint.save(tmp_path, model.state_dict(), card())
    loaded, read = checkpoint.load(tmp_path)
    assert tuple(read.classes) == ("a", "b")
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, loaded.state_dict()[name]), name


def test_a_last_layer_that_compares_directions_comes_back(tmp_path):
    options = {"classes": 2, "mean": [1, 2, 3], "std": [4, 5, 6], "shape": (16, 16)}
    options["cosine_scale"] = 9.0
    model = build(SMALL, seed=7, **options).eval()
    checkpoint.save(tmp_path, model.state_dict(), card(cosine_scale=9.0, loss="ldam"))
    images = torch.arange(2 * 16 * 16 * 3).view(2, 16, 16, 3).to(torch.uint8)
    with torch.inference_mode():
        logits = model(images)
        assert torch.equal(checkpoint.load(tmp_path)[0].eval()(images), logits)
    assert logits.abs().max() <= 9.0


def test_a_last_layer_that_is_a_convolution_cannot_compare_directions():
    params = train_params(model={"name": "squeezenet1_1", "stem": "small", "dropout": 0.0}).model
    with pytest.raises(ParamsError, match=r"train\.loss\.name 'ldam'.*squeezenet1_1"):
        build(
            params, classes=2, mean=[1] * 3, std=[1] * 3, seed=7, shape=(32, 32), cosine_scale=9.0
        )


def test_weights_of_another_model_are_refused(tmp_path):
    model = build(SMALL, classes=3, mean=[1] * 3, std=[1] * 3, seed=7, shape=(16, 16))
    checkpoint.save(tmp_path, model.state_dict(), card())
    with pytest.raises(DataError, match="no model that can be read"):
        checkpoint.load(tmp_path)
