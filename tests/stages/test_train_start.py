"""Training from weights that exist: of a model of ours, and of a file."""

import json
import shutil

import pytest
import safetensors.torch
import torch
from full_params import full_params
from program import change
from ruamel.yaml import YAML

from raresight.pipeline.core.files import sha256
from raresight.pipeline.models.checkpoint import load
from raresight.pipeline.runtime.errors import DataError, ParamsError
from raresight.pipeline.stages import augment, generate, split, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project with a model, of tiny images and one epoch."""
    folder = tmp_path_factory.mktemp("trained")
    yaml, document = YAML(), full_params()
    options = {"classes": ["circle", "square"]}
    source = {"generator": "shapes", "options": options, "counts": {"circle": 30, "square": 30}}
    document["generate"].update(image_size=16, positive="circle", sources=[source])
    document["augment"]["copies"] = {}
    document["train"].update(epochs=1, batch_size=16, early_stopping=None, threads=1)
    del document["train"]["initialization"]
    document["train"]["model"].update(width=4, blocks=[1])
    document["train"]["schedule"] = {"name": "constant", "warmup": None}
    yaml.dump(document, folder / "params.yaml")
    for stage in (generate, augment):
        stage.run(folder / "params.yaml", folder / "data", workers=1)
    split.run(folder / "params.yaml", folder / "data")
    train.run(folder / "params.yaml", folder / "data", device="cpu")
    return folder


@pytest.fixture
def project(trained, tmp_path, monkeypatch):
    """A copy of it, as the working folder, with the model as another project's below weights/."""
    shutil.copytree(trained, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    shutil.copytree("data/model", "data/weights/old")
    return tmp_path / "p"


def run(project):
    train.run(project / "params.yaml", project / "data", device="cpu")
    return load(project / "data" / "model")


def rate(value):
    return {"name": "sgd", "learning_rate": value, "momentum": 0}


def test_a_training_begins_from_the_weights_of_a_model(project):
    old, card = load(project / "data" / "weights" / "old")
    assert card.weights is None
    change(project / "params.yaml", start="data/weights/old", optimizer=rate(1e-9))
    model, card = run(project)
    for name, tensor in model.network.named_parameters():
        torch.testing.assert_close(tensor, dict(old.network.named_parameters())[name])
    assert card.weights == {
        "origin": "data/weights/old",
        "sha256": sha256(project / "data/weights/old/weights.safetensors"),
    }
    assert card.mean == load(project / "data" / "weights" / "old")[1].mean


def test_another_network_or_a_changed_model_is_refused(project):
    change(project / "params.yaml", start="data/weights/old")
    change(project / "params.yaml", model={"width": 6, "blocks": [1]})
    with pytest.raises(DataError, match="width is 4 there"):
        run(project)
    with open("data/weights/old/weights.safetensors", "ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match="data/weights/old"):
        run(project)


def test_weights_of_a_file_come_in_and_its_digest_is_kept(project):
    model = {"name": "shufflenet_v2_x0_5", "stem": "original"}
    change(project / "params.yaml", model=model, optimizer=rate(1e-9))
    first, _ = run(project)
    tensors = {n: t.contiguous() for n, t in first.network.state_dict().items()}
    safetensors.torch.save_file(tensors, "data/weights/mine.safetensors")
    change(
        project / "params.yaml", model={**model, "weights": "data/weights/mine.safetensors"}, seed=9
    )
    second, card = run(project)
    for name, tensor in second.network.named_parameters():
        if not name.startswith("fc."):
            torch.testing.assert_close(tensor, dict(first.network.named_parameters())[name])
    assert card.weights["sha256"] == sha256(project / "data/weights/mine.safetensors")
    assert card.mean == pytest.approx([0.485 * 255, 0.456 * 255, 0.406 * 255])
    assert json.loads((project / "data/model/model.json").read_text())["model"]["freeze"] == "none"


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"initialization": "orthogonal"}, "leave it out"),
        ({"model": {"name": "resnet18", "weights": "a.pth"}}, "set one of them to null"),
    ],
)
def test_two_beginnings_are_refused(project, knobs, told):
    change(project / "params.yaml", start="data/weights/old", **knobs)
    with pytest.raises(ParamsError, match=told):
        run(project)
