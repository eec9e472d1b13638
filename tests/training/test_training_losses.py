"""Losses against torch, torchvision, scikit-learn and formulas written out."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional
from toy_training import train_params, trainer

from raresight.pipeline.models.networks import CosineLinear

LOGITS = torch.tensor([[0.3, 1.2, -0.5], [2.0, -1.0, 0.1], [0.0, 0.4, 3.0]])
TARGETS = torch.tensor([1, 0, 1])
COUNTS = np.array([900, 90, 10])
PLAIN = {"label_smoothing": 0.0, "class_weights": None, "post_hoc_tau": None}
EFFECTIVE = {"name": "effective_number", "beta": 0.99, "from_epoch": 0}


def params_of(name, **keys):
    return train_params(loss={"name": name, **keys}).loss


def loss_of(name, *, epoch=0, **keys):
    return params_of(name, **keys).function(COUNTS, epoch=epoch)(LOGITS, TARGETS)


def test_cross_entropy_is_torchs():
    found = loss_of("cross_entropy", **{**PLAIN, "label_smoothing": 0.1})
    expected = functional.cross_entropy(LOGITS, TARGETS, reduction="none", label_smoothing=0.1)
    assert torch.allclose(found, expected)


def test_class_weights_are_torchs_before_it_averages():
    inverse = {"name": "inverse", "from_epoch": 0}
    found = loss_of("cross_entropy", **{**PLAIN, "class_weights": inverse})
    weight = torch.tensor(1000 / (3 * COUNTS)).float()
    assert torch.allclose(
        found, functional.cross_entropy(LOGITS, TARGETS, weight, reduction="none")
    )


def test_inverse_weights_are_scikit_learns_balanced():
    inverse = {"name": "inverse", "from_epoch": 0}
    weights = params_of("cross_entropy", **{**PLAIN, "class_weights": inverse})
    targets = np.repeat([0, 1, 2], COUNTS)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    assert weights.weights(COUNTS, 0) == pytest.approx(expected)


def test_effective_number_by_hand_with_mean_one_over_the_images():
    weights = params_of("focal", gamma=1.0, class_weights=EFFECTIVE)
    raw = np.array([0.01 / (1 - 0.99**n) for n in COUNTS])
    found = weights.weights(COUNTS, 0)
    assert found / found[0] == pytest.approx(raw / raw[0])
    assert (found * COUNTS).sum() == pytest.approx(COUNTS.sum())


def test_weights_may_be_deferred():
    weights = {"name": "inverse", "from_epoch": 3}
    late = {**PLAIN, "class_weights": weights}
    assert torch.equal(loss_of("cross_entropy", epoch=2, **late), loss_of("cross_entropy", **PLAIN))
    now = {**PLAIN, "class_weights": {**weights, "from_epoch": 0}}
    assert torch.equal(loss_of("cross_entropy", epoch=3, **late), loss_of("cross_entropy", **now))


def test_logit_adjustment_is_the_softmax_weighted_by_class_shares():
    shares = torch.tensor([0.9, 0.09, 0.01])
    for tau in (1.0, 0.5):
        weighted = shares**tau * LOGITS.exp()
        expected = -torch.log(weighted / weighted.sum(1, keepdim=True))[[0, 1, 2], TARGETS]
        found = loss_of("logit_adjusted", tau=tau, label_smoothing=0.0)
        assert torch.allclose(found, expected)


def test_focal_loss_of_two_classes_is_torchvisions():
    from raresight.pipeline.models.torchvision_registry import models

    models()  # its import works only after this where its build does not fit torch's
    from torchvision.ops import sigmoid_focal_loss

    pairs, targets = LOGITS[:, :2], torch.tensor([1, 0, 0])
    params = params_of("focal", gamma=2.0, class_weights=None)
    found = params.function(np.array([5, 5]))(pairs, targets)
    margin = pairs[:, 1] - pairs[:, 0]
    assert torch.allclose(found, sigmoid_focal_loss(margin, targets.float(), alpha=-1, gamma=2.0))


def test_focal_loss_without_focus_is_cross_entropy():
    found = loss_of("focal", gamma=0.0, class_weights=None)
    assert torch.allclose(found, loss_of("cross_entropy", **PLAIN))


def test_ldam_asks_more_of_rare_classes():
    """Margins n ** -1/4: 900, 90 and 10 images give 0.3247, 0.5774 and 1 of the largest, 0.5."""
    found = loss_of("ldam", max_margin=0.5, scale=2.0, class_weights=None)
    less = torch.zeros(3, 3)
    less[0, 1] = less[2, 1] = 0.5 * (10 / 90) ** 0.25
    less[1, 0] = 0.5 * (10 / 900) ** 0.25
    expected = functional.cross_entropy(LOGITS - 2.0 * less, TARGETS, reduction="none")
    assert torch.allclose(found, expected)


def test_ldams_head_and_loss_are_those_of_the_paper_by_hand():
    """Features (3, 4), weights (1, 0) and (0, 2): cosines 0.6 and 0.8, however long they are.

    Of 16 and 1 images margins are 0.5 / 2 and 0.5. Scale 10, class 0: logits 10 (0.6 - 0.25) = 3.5
    and 8, so the loss is log(1 + exp(8 - 3.5)).
    """
    params = params_of("ldam", max_margin=0.5, scale=10.0, class_weights=None)
    head = CosineLinear(2, 2, scale=params.implied.cosine_scale)
    head.load_state_dict({"weight": torch.tensor([[1.0, 0.0], [0.0, 2.0]])})
    logits = head(torch.tensor([[3.0, 4.0], [0.3, 0.4]]))
    assert logits.tolist() == [pytest.approx([6.0, 8.0])] * 2
    found = params.function(np.array([16, 1]))(logits, torch.tensor([0, 0]))
    assert found.tolist() == pytest.approx([np.log1p(np.exp(4.5))] * 2, rel=1e-5)


def test_ldam_alone_trains_a_last_layer_that_compares_directions():
    ldam = {"name": "ldam", "max_margin": 0.5, "scale": 30.0, "class_weights": None}
    assert trainer(loss=ldam).model.network.head.scale == 30.0
    assert type(trainer().model.network.head) is torch.nn.Linear
    found = trainer(loss=ldam, epochs=4).fit()
    assert found.best.val_average_precision > 0.9


SHARES = COUNTS / 1000


@pytest.mark.parametrize(
    ("loss", "prior"),
    [
        ({"name": "cross_entropy", **PLAIN}, SHARES),
        ({"name": "logit_adjusted", "tau": 1.0, "label_smoothing": 0.0}, np.full(3, 1 / 3)),
        (
            {"name": "logit_adjusted", "tau": 0.5, "label_smoothing": 0.0},
            SHARES**0.5 / (SHARES**0.5).sum(),
        ),
        ({"name": "cross_entropy", **PLAIN, "post_hoc_tau": 1.0}, np.full(3, 1 / 3)),
        (
            {"name": "cross_entropy", **PLAIN,
             "class_weights": {"name": "inverse", "from_epoch": 0}},
            np.full(3, 1 / 3),
        ),
    ],
    ids=["plain", "adjusted", "half", "post-hoc", "inverse"],
)  # fmt: skip
def test_the_minimum_of_the_loss_takes_the_prior_for_granted_that_is_stated(loss, prior):
    """Where images tell nothing, the best constant scores are the prior itself."""
    params = train_params(loss=loss).loss
    assert params.score_prior(COUNTS, 0) == pytest.approx(prior)
    logits = torch.zeros(3, dtype=torch.double, requires_grad=True)
    targets = torch.arange(3)
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-12)
    of_class = params.function(COUNTS)

    def total():
        optimizer.zero_grad()
        value = (of_class(logits.expand(3, 3), targets) * torch.tensor(SHARES)).sum()
        value.backward()
        return value

    optimizer.step(total)
    scores = (logits.detach() + torch.tensor(params.score_offset(COUNTS))).softmax(0)
    assert scores.numpy() == pytest.approx(prior, abs=1e-4)


@pytest.mark.parametrize("loss", [
    {"name": "focal", "gamma": 2.0, "class_weights": None},
    {"name": "ldam", "max_margin": 0.5, "scale": 30.0, "class_weights": None},
])  # fmt: skip
def test_a_prior_that_cannot_be_named_is_not_named(loss):
    assert train_params(loss=loss).loss.score_prior(COUNTS, 0) is None
