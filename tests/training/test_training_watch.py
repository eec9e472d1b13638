"""What a training is watched for: the loss of a guess, and losses that are no numbers."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from toy_training import train_params

from raresight.pipeline.runtime.errors import DivergedError
from raresight.pipeline.training.diagnosis.divergence import chance_loss, check_loss, explosion

CPU = torch.device("cpu")
SHOWS = np.array([800, 150, 50])
SHARES = SHOWS / SHOWS.sum()
ENTROPY = -xlogy(SHARES, SHARES).sum()
PLAIN = {"label_smoothing": 0.0, "class_weights": None, "post_hoc_tau": None}


def chance(name: str, *, shows=SHOWS, **keys) -> float:
    loss = train_params(loss={"name": name, **keys}).loss.function(shows)
    return chance_loss(loss, shows, CPU)


def test_the_best_guess_under_cross_entropy_gives_the_shares_and_loses_their_entropy():
    assert chance("cross_entropy", **PLAIN) == pytest.approx(ENTROPY, rel=1e-5)
    assert chance("cross_entropy", shows=np.array([7, 7]), **PLAIN) == pytest.approx(math.log(2))


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_a_logit_adjustment_lets_a_guess_lose_no_less(tau):
    """It adds a constant to the answer, which the best constant answer takes away again."""
    found = chance("logit_adjusted", tau=tau, label_smoothing=0.0)
    assert found == pytest.approx(ENTROPY, rel=1e-5)


def test_where_classes_weigh_by_their_inverse_a_guess_is_even():
    """Then each class has a third of the weight, and the weights have mean 1 over the images."""
    weights = {"name": "inverse", "from_epoch": 0}
    found = chance("cross_entropy", **{**PLAIN, "class_weights": weights})
    assert found == pytest.approx(math.log(3), rel=1e-5)


def test_smoothed_labels_are_shares_of_their_own():
    """A tenth of every label goes to all three classes alike."""
    smooth = 0.9 * SHARES + 0.1 / 3
    found = chance("cross_entropy", **{**PLAIN, "label_smoothing": 0.1})
    assert found == pytest.approx(-xlogy(smooth, smooth).sum(), rel=1e-5)


def test_a_guess_under_focal_loss_is_the_best_of_all_shares():
    """Two classes leave one number to search."""
    shows = np.array([900, 100])

    def expected(p: float) -> float:
        return -0.9 * (1 - p) ** 2 * math.log(p) - 0.1 * p**2 * math.log(1 - p)

    best = minimize_scalar(expected, bounds=(1e-6, 1 - 1e-6), method="bounded")
    found = chance("focal", shows=shows, gamma=2.0, class_weights=None)
    assert found == pytest.approx(best.fun, rel=1e-4)


@pytest.mark.parametrize(("classes", "limit"), [(2, 1000), (20, 1000 * math.log(20))])
def test_an_explosion_is_a_thousand_guesses(classes, limit):
    assert explosion(classes) == pytest.approx(limit)
    params = train_params()
    check_loss(0.999 * limit, params, epoch=0, rate=0.1, limit=explosion(classes))
    for loss in (limit, math.inf, math.nan):
        with pytest.raises(DivergedError, match=r"epoch 1.*learning rate 0\.1"):
            check_loss(loss, params, epoch=0, rate=0.1, limit=explosion(classes))
