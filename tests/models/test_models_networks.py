"""Networks: shapes of the whole family, dropout's expectation, every torchvision classifier."""

import pytest
import torch
from toy_training import train_params

from raresight.pipeline.core.params import NestedProblems
from raresight.pipeline.models import torchvision_models, torchvision_registry
from raresight.pipeline.models.classifier import build, head_of
from raresight.pipeline.models.networks import Block, DenseLayer
from raresight.pipeline.runtime.errors import InputMissing, ParamsError

RESNET = {"name": "resnet18", "stem": "small", "dropout": 0.0}


def model(side=16, classes=2, **changes):
    params = train_params(model=changes).model
    return build(params, classes=classes, mean=[0] * 3, std=[1] * 3, seed=1, shape=(side, side))


def images(count=2, side=16):
    return torch.randint(
        0, 256, (count, side, side, 3), generator=torch.Generator().manual_seed(0)
    ).to(torch.uint8)


@pytest.mark.parametrize("norm", ["batch", "group", "layer", "none"])
@pytest.mark.parametrize("connections", ["plain", "residual", "dense"])
def test_every_member_of_the_family_doubles_channels_and_halves_sides(connections, norm):
    built = model(width=4, blocks=[1, 2], connections=connections, norm=norm).eval()
    maps = built.network.stages(built.network.stem(torch.zeros(1, 3, 16, 16)))
    assert maps.shape == (1, 16, 2, 2)
    assert built(images()).shape == (2, 2)
    kinds = {type(module).__name__ for module in built.modules()}
    assert ("BatchNorm2d" in kinds) == (norm == "batch")
    assert ("GroupNorm" in kinds) == (norm in ("group", "layer"))


def test_a_residual_block_whose_convolutions_are_nothing_passes_what_comes():
    block = Block(4, 4, stride=1, norm="none", residual=True, skip=0.0)
    for weight in block.parameters():
        torch.nn.init.zeros_(weight)
    x = torch.rand(2, 4, 5, 5)
    assert torch.equal(block(x), x)
    block.residual = False
    assert not block(x).any()


def test_a_dense_layer_keeps_what_came_and_adds_to_it():
    layer = DenseLayer(4, 3, pool=False, norm="none")
    x = torch.rand(2, 4, 5, 5)
    assert layer(x).shape == (2, 7, 5, 5)
    assert torch.equal(layer(x)[:, :4], x)


def test_stochastic_depth_skips_images_and_keeps_the_expectation():
    block = Block(2, 2, stride=1, norm="none", residual=True, skip=0.25).train()
    x = torch.ones(4000, 2, 4, 4)
    torch.nn.init.zeros_(block.second.weight)
    torch.nn.init.ones_(block.second.bias)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        found = block(x)[:, 0, 0, 0]
    assert found.unique().tolist() == pytest.approx([1.0, 1 + 1 / 0.75])
    assert found.mean().item() == pytest.approx(2.0, abs=0.05)
    assert (block.eval()(x) == 2).all()


def test_skipping_grows_with_the_depth():
    built = model(width=4, blocks=[2, 2], stochastic_depth=0.4)
    assert [block.skip for block in built.network.stages] == pytest.approx([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(("where", "share"), [("input", 0.2), ("hidden", 0.5)])
def test_dropout_drops_its_share_keeps_the_mean_and_does_nothing_at_test(where, share):
    dropout = {"input": 0.0, "hidden": 0.0, where: share}
    network = model(width=4, blocks=[1], dropout=dropout).network
    layer = network.input_dropout if where == "input" else network.dropout
    x = torch.ones(100_000)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        dropped = layer.train()(x)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / (1 - share)])
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)
    assert torch.equal(layer.eval()(x), x)


def test_standardising_is_part_of_the_model():
    params = train_params().model
    built = build(
        params, classes=2, mean=[10, 20, 30], std=[2, 4, 5], seed=1, shape=(16, 16)
    ).eval()
    by_hand = (images() - torch.tensor([10, 20, 30])) / torch.tensor([2, 4, 5])
    expected = built.network(by_hand.permute(0, 3, 1, 2))
    assert torch.allclose(built(images()), expected, atol=1e-5)


def test_building_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    model()
    assert torch.equal(before, torch.random.get_rng_state())


def test_stochastic_depth_without_shortcuts_is_refused_with_both_keys():
    with pytest.raises(
        NestedProblems, match=r"`stochastic_depth` \(0.1\).*`connections` \('plain'\)"
    ):
        model(connections="plain", stochastic_depth=0.1)


def test_a_name_next_to_ours_is_no_torchvision_model():
    with pytest.raises(NestedProblems, match="Did you mean 'small_cnn'"):
        model(name="smal_cnn")


def test_an_unknown_model_names_the_nearest():
    unknown = r"unknown model 'resnet19'\. Did you mean 'resnet18'.* and 7\d more"
    with pytest.raises(NestedProblems, match=unknown):
        model(name="resnet19")  # with small_cnn's keys: they are not what is wrong
    with pytest.raises(NestedProblems, match=r"unknown model 'pixel'\. Did you mean 'pixels'"):
        model(name="linear_probe", features="pixel", grid=1)


FAMILIES = ["alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet",
            "inception_v3", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_y_400mf",
            "resnet18", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "vgg11", "vit_b_16",
            "maxvit_t"]  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_of_torchvision_takes_small_images(name):
    """On the meta device, where shapes are computed and numbers are not."""
    # A RegNet computes its widths with tensors, which have no numbers on that device.
    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        network = torchvision_models.network_of(name, classes=7, shape=(32, 32), small=True)
    with torch.device("meta"), torch.no_grad():
        logits = network.to("meta").eval()(torch.zeros(2, 3, 32, 32))
        assert logits.shape == (2, 7)
        assert len(head_of(network, 7).weight) == 7


def test_no_family_of_torchvision_is_left_out():
    library = torchvision_registry.models()
    modules = {library.get_model_builder(name).__module__ for name in torchvision_registry.names()}
    assert modules == {library.get_model_builder(name).__module__ for name in FAMILIES}


def test_a_small_stem_keeps_the_side_where_the_original_quarters_it():
    for stem, side in (("small", 32), ("original", 8)):
        network = model(side=32, **{**RESNET, "stem": stem}).network
        x = network.maxpool(network.conv1(torch.zeros(1, 3, 32, 32)))
        assert x.shape[-1] == side


def test_a_vision_transformer_sees_smaller_patches():
    with torch.device("meta"):
        network = torchvision_models.network_of("vit_b_16", classes=2, shape=(32, 32), small=True)
    assert network.conv_proj.kernel_size == (2, 2)
    assert network.seq_length == 16 * 16 + 1


def test_images_too_small_for_a_network_are_refused():
    with pytest.raises(ParamsError, match=r"inception_v3 .* cannot take images of 32 x 32"):
        model(side=32, **{**RESNET, "name": "inception_v3", "stem": "original"})


def test_a_linear_probe_sees_the_mean_colour_of_each_cell_and_trains_one_layer():
    built = model(name="linear_probe", features="pixels", grid=2)
    x = images()
    cells = x.float().reshape(2, 2, 8, 2, 8, 3).mean((2, 4)).permute(0, 3, 1, 2).reshape(2, 12)
    assert torch.allclose(built(x), built.network.head(cells), atol=1e-3)
    trained = [name for name, weight in built.named_parameters() if weight.requires_grad]
    assert trained == ["network.head.weight", "network.head.bias"]


def test_a_probe_of_published_weights_leaves_them_as_they_are(tmp_path, monkeypatch):
    library = torchvision_registry.models()
    weights = library.ResNet18_Weights.DEFAULT
    with torch.random.fork_rng():
        torch.manual_seed(9)
        published = library.resnet18().state_dict()
    folder = tmp_path / "hub/checkpoints"
    folder.mkdir(parents=True)
    torch.save(published, folder / weights.url.rpartition("/")[2])
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    built = model(side=32, name="linear_probe", features="resnet18", grid=1).train()
    built(images(side=32))
    for name, value in published.items():
        if not name.startswith("fc."):
            assert torch.equal(built.network.features.state_dict()[name], value), name


def test_published_weights_that_cannot_be_fetched_are_said(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def offline(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(InputMissing, match="published weights of resnet18 cannot be fetched"):
        model(side=32, name="linear_probe", features="resnet18", grid=1)
