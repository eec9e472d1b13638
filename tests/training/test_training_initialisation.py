"""How far a signal gets through 30 layers, by what the weights begin from."""

import pytest
import torch
from torch import nn
from toy_training import trainer

from raresight.pipeline.training.initialization import initialize

DEPTH, WIDTH = 30, 256
NAMES = ["default", "xavier", "he", "orthogonal", "lsuv"]


def stack():
    layers = [
        part for _ in range(DEPTH) for part in (nn.Linear(WIDTH, WIDTH, bias=False), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 2))


def signal(name):
    """E[a^2] after each of 30 ReLU layers, for inputs with E[a^2] = 1."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network, x = stack(), torch.randn(512, WIDTH)
    initialize(network, name, seed=3, images=x)
    sizes = []
    with torch.no_grad():
        for layer in network[:-1]:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                sizes.append((x**2).mean().item())
    return sizes


def test_xavier_loses_half_of_the_signal_with_every_relu():
    """0.5 ** 30 is 9.3e-10; finite layers spread around it (3.5e-10 was computed elsewhere)."""
    sizes = signal("xavier")
    assert sizes[0] == pytest.approx(0.5, rel=0.1)
    assert 1e-10 < sizes[-1] < 1e-8


@pytest.mark.parametrize("name", ["he", "orthogonal"])
def test_he_and_orthogonal_keep_the_signal(name):
    assert 0.3 < signal(name)[-1] < 3


def test_lsuv_gives_every_layer_unit_variance():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network, x = stack(), 5 * torch.randn(64, WIDTH)
    initialize(network, "lsuv", seed=3, images=x)
    with torch.no_grad():
        for layer in network[:-1]:
            x = layer(x)
            if isinstance(layer, nn.Linear):
                assert x.std().item() == pytest.approx(1.0, abs=1e-4)


class Again(nn.Module):
    """A network that sends the signal through one of its layers twice."""

    def __init__(self):
        super().__init__()
        self.shared, self.last = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2)
        self.seen = []

    def forward(self, x):
        self.seen = []
        for _ in range(2):
            x = self.shared(x)
            self.seen.append(x.std().item())
            x = 3 * torch.relu(x)
        return self.last(x)


def test_lsuv_scales_a_layer_used_twice_by_what_it_gives_first():
    """Orthogonal rows keep the length of a signal, and a ReLU lets half of its square through: at
    the second use a deviation of 3 / sqrt(2), which would be scaled away a second time."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network, x = Again(), 5 * torch.randn(64, WIDTH)
    initialize(network, "lsuv", seed=3, images=x)
    with torch.no_grad():
        network(x)
    first, second = network.seen
    assert first == pytest.approx(1.0, abs=1e-4)
    length = 1 / 5  # of the scaled rows, for inputs of deviation 5
    assert second == pytest.approx(length * 3 / 2**0.5, rel=0.1)


def test_torchs_default_loses_the_signal_even_faster_than_xavier():
    """Its variance is 1 / (3 fan in): a sixth is left after each ReLU."""
    sizes = signal("default")
    assert sizes[0] == pytest.approx(1 / 6, rel=0.1)
    assert sizes[-1] < 1e-20


def test_the_variances_are_those_of_the_formulas():
    layer = nn.Conv2d(32, 64, 3)
    for name, variance in (("he", 2 / (64 * 9)), ("xavier", 2 / (32 * 9 + 64 * 9))):
        initialize(nn.Sequential(layer, nn.Linear(1, 1)), name, seed=1)
        assert layer.weight.var().item() == pytest.approx(variance, rel=0.05)
        assert not layer.bias.any()


def test_orthogonal_rows_are_orthogonal():
    layer = nn.Linear(32, 16)
    initialize(nn.Sequential(layer, nn.Linear(16, 2)), "orthogonal", seed=1)
    assert torch.allclose(layer.weight @ layer.weight.T, 2 * torch.eye(16), atol=1e-5)


def test_the_last_layer_keeps_its_own():
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    before = network[1].weight.clone()
    initialize(network, "he", seed=1)
    assert torch.equal(network[1].weight, before)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_pure_function_of_the_seed_and_leaves_the_global_generator_alone(name):
    networks, x = [stack(), stack()], torch.ones(4, WIDTH)
    networks[1].load_state_dict(networks[0].state_dict())
    before = torch.random.get_rng_state()
    for network in networks:
        initialize(network, name, seed=3, images=x)
    assert torch.equal(before, torch.random.get_rng_state())
    for one, two in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_trains_from_each(name):
    assert len(trainer(epochs=2, initialization=name).fit().epochs) == 2
