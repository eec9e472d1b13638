"""Every entry of the registry of optimizers keeps what a step and a resumed training rely on."""

import copy

import numpy as np
import pytest
import torch
from toy_training import train_params, trainer

from raresight.pipeline.training.optim.optimizers import OPTIMIZERS
from raresight.pipeline.training.optim.update import Update


def update(weight, name, *, decay=0.0, rate=0.05, momentum=0.9):
    params = train_params(
        optimizer={"name": name, "learning_rate": rate, "momentum": momentum},
        regularization={"weight_decay": decay, "l1": 0.0, "l2": 0.0},
        gradient_clip=None,
    )
    return Update(torch.nn.ParameterDict({"weight": weight}), params)


def start():
    rng = torch.Generator().manual_seed(1)
    return torch.nn.Parameter(torch.randn(4, 3, generator=rng))


def descend(run, weight, steps, target=1.0):
    """Steps on the square of the distance to ``target``; the loss before each."""
    losses = []
    for _ in range(steps):
        weight.grad = None
        loss = (weight - target).square().sum()
        loss.backward()
        run.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_goes_downhill(name):
    weight = start()
    losses = descend(update(weight, name), weight, 200)
    assert losses[-1] < 1e-2 * losses[0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_its_state_is_all_that_the_next_steps_depend_on(name):
    weight = start()
    run = update(weight, name)
    descend(run, weight, 5)
    other = torch.nn.Parameter(weight.detach().clone())
    again = update(other, name)
    again.optimizer.load_state_dict(copy.deepcopy(run.optimizer.state_dict()))
    descend(run, weight, 5)
    descend(again, other, 5)
    assert torch.equal(weight, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_decay_is_decoupled_from_the_gradient(name):
    """Without a gradient, a step multiplies a weight by 1 - rate * decay, whatever its history."""
    weight = start()
    before = weight.detach().clone()
    run = update(weight, name, decay=0.5, rate=0.1)
    weight.grad = torch.zeros_like(weight)
    run.step()
    assert torch.allclose(weight, before * (1 - 0.1 * 0.5), rtol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rate_and_the_momentum_of_the_next_step_can_be_set(name):
    weight = start()
    run = update(weight, name)
    descend(run, weight, 3)
    kept, state = weight.detach().clone(), copy.deepcopy(run.optimizer.state_dict())

    def moved(rate, momentum):
        with torch.no_grad():
            weight.copy_(kept)
        run.optimizer.load_state_dict(copy.deepcopy(state))
        run.rate = rate
        run.set_momentum(momentum)
        descend(run, weight, 1)
        return (weight - kept).detach()

    usual = moved(0.05, 0.9)
    assert torch.allclose(moved(0.025, 0.9), usual / 2, rtol=1e-4, atol=1e-7)
    assert not torch.allclose(moved(0.05, 0.5), usual, rtol=1e-3)
    assert run.rate == 0.05


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_comes_from_params_goes_back_and_trains(name):
    params = train_params(optimizer={"name": name}).optimizer
    assert type(params) is OPTIMIZERS[name]
    assert train_params(optimizer=params.model_dump(mode="json")).optimizer == params
    epochs = trainer(optimizer={"name": name, "learning_rate": 0.01}, epochs=4).fit().epochs
    assert np.isfinite([epoch.train_loss for epoch in epochs]).all()
    assert epochs[-1].train_loss < epochs[0].train_loss
