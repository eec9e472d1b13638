"""Penalties: three ways to decay told apart, exact zeros, and who is spared."""

import pytest
import torch
from toy_training import train_params

from raresight.pipeline.training.optim.ema import ema_of
from raresight.pipeline.training.optim.update import Update, soft_threshold
from raresight.pipeline.training.params.updates import AverageParams

NONE = {"weight_decay": 0.0, "l2": 0.0, "l1": 0.0, "decay_bias_and_norm": False}


def update(model, *, optimizer="sgd", rate=0.01, momentum=0.0, clip=None, **penalties):
    params = train_params(
        optimizer={"name": optimizer, "learning_rate": rate, "momentum": momentum},
        regularization={**NONE, **penalties},
        gradient_clip=clip,
    )
    return Update(model, params)


def after(model, steps, **settings):
    """Take steps by the penalties alone: the loss itself has no gradient."""
    run = update(model, **settings)
    for _ in range(steps):
        for weight in model.parameters():
            weight.grad = torch.zeros_like(weight)
        run.step()
    return model


def one():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(1.0)
    return model


RATE, DECAY = 0.1, 0.01
SHRUNK = (1 - RATE * DECAY) ** 100  # 0.9048


@pytest.mark.parametrize(
    ("optimizer", "momentum", "penalty", "left"),
    [
        ("sgd", 0.0, "weight_decay", SHRUNK),
        ("sgd", 0.9, "weight_decay", SHRUNK),
        ("adamw", 0.9, "weight_decay", SHRUNK),
        ("sgd", 0.0, "l2", SHRUNK),
    ],
)
def test_decoupled_decay_shrinks_whatever_the_optimiser_and_l2_does_so_for_plain_sgd(
    optimizer, momentum, penalty, left
):
    model = after(one(), 100, optimizer=optimizer, rate=RATE, momentum=momentum, **{penalty: DECAY})
    assert model[0].weight.detach().numpy() == pytest.approx(left, rel=1e-4)


def test_l2_in_the_loss_is_something_else_for_adam():
    """Its steps are as long as the rate however small the decay: after 100 of 0.1, 1 is gone."""
    weight = torch.nn.Parameter(torch.ones(3, 3))
    adam = torch.optim.Adam([weight], lr=RATE, weight_decay=DECAY)
    for _ in range(100):
        weight.grad = torch.zeros_like(weight)
        adam.step()
    model = after(one(), 100, optimizer="adamw", rate=RATE, momentum=0.9, l2=DECAY)
    assert torch.allclose(model[0].weight, weight, atol=1e-6)
    assert model[0].weight.max().item() == pytest.approx(0.0029, abs=5e-5)


@pytest.mark.parametrize("penalty", ["weight_decay", "l2", "l1"])
def test_biases_and_norms_are_spared_unless_asked_for(penalty):
    spared = after(one(), 10, **{penalty: 0.1})
    assert (spared[0].bias == 1).all()
    assert (spared[1].weight == 1).all()
    asked = after(one(), 10, **{penalty: 0.1, "decay_bias_and_norm": True})
    assert (asked[0].bias < 1).all()
    assert (asked[1].weight < 1).all()


def lasso(l1, l2=0.0, steps=2000):
    """A regression on 100 features of which 10 matter; the weights that training finds."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(400, 100, generator=generator)
    truth = torch.zeros(100)
    truth[:10] = 1.0
    y = x @ truth
    model = torch.nn.Linear(100, 1, bias=False)
    run = update(model, rate=0.1, l1=l1, l2=l2)
    for _ in range(steps):
        model.zero_grad()
        ((model(x)[:, 0] - y) ** 2).mean().div(2).backward()
        run.step()
    return model.weight.detach()[0], x, y


def test_l1_gives_exact_zeros_where_the_truth_has_them():
    found, *_ = lasso(0.1)
    assert int((found[10:] == 0).sum()) == 90
    assert (found[:10] != 0).all()


def test_l1_and_the_elastic_net_reach_the_minimum_that_scikit_learn_finds():
    from sklearn.linear_model import ElasticNet, Lasso

    found, x, y = lasso(0.1)
    peer = Lasso(alpha=0.1, fit_intercept=False, tol=1e-8).fit(
        x.double().numpy(), y.double().numpy()
    )
    assert found.numpy() == pytest.approx(peer.coef_, abs=1e-4)
    found, x, y = lasso(0.1, l2=0.2)
    peer = ElasticNet(alpha=0.3, l1_ratio=1 / 3, fit_intercept=False, tol=1e-8)
    assert found.numpy() == pytest.approx(
        peer.fit(x.double().numpy(), y.double().numpy()).coef_, abs=1e-4
    )


def test_a_soft_threshold_moves_towards_zero_and_stays_there():
    weight = torch.nn.Parameter(torch.tensor([1.0, 0.05, -0.3, 0.0]))
    soft_threshold([weight], 0.1)
    assert weight.tolist() == pytest.approx([0.9, 0.0, -0.2, 0.0])


def test_clipping_bounds_the_gradient_with_its_penalty():
    model = one()
    run = update(model, rate=1.0, clip=0.5, l2=1.0)
    for weight in model.parameters():
        weight.grad = torch.full_like(weight, 7.0)
    before = [weight.detach().clone() for weight in model.parameters()]
    run.step()
    moved = sum(((a - b) ** 2).sum() for a, b in zip(before, model.parameters(), strict=True))
    assert moved.sqrt().item() == pytest.approx(0.5, rel=1e-4)


def test_the_average_follows_the_weights_and_forgets_where_they_began():
    """Decay 0.5, but (1 + n) / (10 + n) while that is less: 2/11 after the first step."""
    model = torch.nn.Linear(1, 1, bias=False)
    average = ema_of(model, AverageParams(decay=0.5))
    seen = []
    for value in (1.0, 2.0, 4.0):
        model.weight.data.fill_(value)
        average.update_parameters(model)
        seen.append(average.module.weight.item())
    second = 1 + (2 - 1) * (1 - 2 / 11)
    assert seen == pytest.approx([1.0, second, second + (4 - second) * (1 - 3 / 12)])
    assert ema_of(model, None) is None
