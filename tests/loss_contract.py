"""What every loss keeps, whether it is built in or of another package: checks by its name."""

import numpy as np
import torch
from scipy.optimize import minimize
from toy_training import train_params, trainer

from raresight.pipeline.models.networks import CosineLinear
from raresight.pipeline.training.optim.losses import LOSSES, Implied, Loss, Weighted

COUNTS = np.array([900, 90, 10])
SHARES = COUNTS / COUNTS.sum()
INVERSE = {"name": "inverse", "from_epoch": 0}


def variants(name: str) -> list[Loss]:
    """The loss as it is where nothing is written, and with class weights where it takes some."""
    keys: list[dict] = [{}]
    if issubclass(LOSSES[name], Weighted):
        keys.append({"class_weights": INVERSE})
    return [train_params(loss={"name": name, **some}).loss for some in keys]


def batch(n: int = 12, *, size: float = 3.0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    return size * torch.randn(n, 3, generator=rng), torch.arange(n) % 3


def it_comes_from_params_and_goes_back(name: str) -> None:
    for loss in variants(name):
        assert type(loss) is LOSSES[name]
        assert loss.name == name
        assert train_params(loss=loss.model_dump(mode="json")).loss == loss


def it_gives_each_sample_a_finite_loss_with_a_finite_gradient(name: str) -> None:
    for loss in variants(name):
        for size in (0.0, 3.0, 100.0):  # as at the start, while learning, and far too sure
            logits, targets = batch(size=size)
            logits.requires_grad_()
            found = loss.function(COUNTS)(logits, targets)
            assert found.shape == (12,)
            assert torch.isfinite(found).all()
            found.mean().backward()
            assert torch.isfinite(logits.grad).all()


def a_class_without_images_is_no_trouble(name: str) -> None:
    for loss in variants(name):
        logits, _ = batch()
        found = loss.function(np.array([5, 0, 1]))(logits, torch.zeros(12, dtype=torch.int64))
        assert torch.isfinite(found).all()


def a_sample_does_not_depend_on_its_batch(name: str) -> None:
    logits, targets = batch()
    for loss in variants(name):
        function = loss.function(COUNTS)
        alone = torch.cat([function(logits[k : k + 1], targets[k : k + 1]) for k in range(12)])
        assert torch.allclose(function(logits, targets), alone, rtol=1e-5)


def the_names_of_classes_do_not_matter(name: str) -> None:
    logits, targets = batch()
    order = torch.tensor([2, 0, 1])
    for loss in variants(name):
        found = loss.function(COUNTS[order.numpy()])(logits[:, order], order.argsort()[targets])
        assert torch.allclose(found, loss.function(COUNTS)(logits, targets), atol=1e-5)


def a_right_answer_loses_less_than_a_wrong_one(name: str) -> None:
    sure = 5.0 * torch.eye(3)
    for loss in variants(name):
        function = loss.function(COUNTS)
        right = function(sure, torch.arange(3))
        for wrong in (torch.tensor([1, 2, 0]), torch.tensor([2, 0, 1])):
            answers = sure[wrong]
            assert (right < function(answers, torch.arange(3))).all()


def it_declares_what_it_implies(name: str) -> None:
    for loss in variants(name):
        implied = loss.implied
        assert type(implied) is Implied
        assert type(implied.corrects_prior) is bool
        assert implied.cosine_scale is None or implied.cosine_scale > 0
        assert implied.removed_afterwards >= 0
        assert (loss.score_offset(COUNTS) == 0).all() == (implied.removed_afterwards == 0)


def its_minimum_takes_for_granted_what_it_says(name: str) -> None:
    """Where images tell nothing, the best constant scores are the prior: that which is named.

    Where none is named, they are no power of the shares that were shown, either: that would have to
    be named. (With inverse weights classes are alike, and so is the best answer of any loss.)
    """
    for loss in variants(name):
        best, prior = best_constant_scores(loss), loss.score_prior(COUNTS, 0)
        if prior is None:
            weighted = (loss.weights(COUNTS, 0) != 1).any()
            assert weighted or np.abs(best - nearest_power(best)).max() > 0.003
            continue
        assert np.abs(best - prior).max() < 1e-3
        even = bool(np.abs(prior - SHARES).max() > 1e-3)
        assert loss.implied.corrects_prior == even


def nearest_power(scores: np.ndarray) -> np.ndarray:
    """The power of the shares, summing to 1, that is nearest to the scores on a log scale."""
    power = np.polyfit(np.log(SHARES), np.log(scores), 1)[0]
    return SHARES**power / (SHARES**power).sum()


def best_constant_scores(loss: Loss) -> np.ndarray:
    function, classes = loss.function(COUNTS), torch.arange(3)
    shares = torch.tensor(SHARES)

    def total(values: np.ndarray) -> tuple[float, np.ndarray]:
        logits = torch.tensor(values, dtype=torch.float32, requires_grad=True)
        value = (function(logits.expand(3, 3), classes).double() * shares).sum()
        value.backward()
        return value.item(), logits.grad.double().numpy()

    found = minimize(total, np.zeros(3), jac=True, method="BFGS", options={"gtol": 1e-7}).x
    scores = np.exp(found + loss.score_offset(COUNTS))
    return scores / scores.sum()


def a_toy_task_is_learned(name: str) -> None:
    run = trainer(loss={"name": name}, epochs=5)
    scale = run.params.loss.implied.cosine_scale
    head = run.model.network.head
    assert isinstance(head, CosineLinear) == (scale is not None)
    assert scale is None or head.scale == scale
    history = run.fit()
    assert history.epochs[-1].train_loss < 0.7 * history.epochs[0].train_loss
    assert history.kept.val_average_precision > 0.9


CHECKS = (
    it_comes_from_params_and_goes_back,
    it_gives_each_sample_a_finite_loss_with_a_finite_gradient,
    a_class_without_images_is_no_trouble,
    a_sample_does_not_depend_on_its_batch,
    the_names_of_classes_do_not_matter,
    a_right_answer_loses_less_than_a_wrong_one,
    it_declares_what_it_implies,
    its_minimum_takes_for_granted_what_it_says,
    a_toy_task_is_learned,
)
