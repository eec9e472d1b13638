"""Mixup and cutmix: what comes out is made of the pair, and of nothing but (seed, epoch, index)."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raresight.pipeline.training.data.batches import Batch, Partners
from raresight.pipeline.training.data.mixing import Mixing
from raresight.pipeline.training.params import MixingParams

INDEX = np.arange(400)
BLACK = torch.zeros(400, 8, 8, 3, dtype=torch.uint8)
WHITE = torch.full_like(BLACK, 200)


def mixing(name, alpha=1.0, seed=3):
    return Mixing(MixingParams(name=name, alpha=alpha), seed=seed)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_the_share_kept_is_what_is_seen_of_the_image(name):
    mixed, kept = mixing(name)(BLACK, WHITE, INDEX, 0)
    seen = 1 - mixed.float().mean((1, 2, 3)).numpy() / 200
    assert seen == pytest.approx(kept, abs=1e-5)
    assert kept.min() < 0.2
    assert kept.max() > 0.8


def test_mixup_keeps_a_share_from_the_beta_distribution():
    """Beta(0.2, 0.2) has mean 1/2 and variance 1 / (4 * 1.4)."""
    _, kept = mixing("mixup", alpha=0.2)(BLACK, WHITE, INDEX, 0)
    assert kept.mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 5.6 / 400))
    assert kept.var() == pytest.approx(1 / 5.6, rel=0.2)


def test_cutmix_pastes_one_box():
    mixed, _ = mixing("cutmix")(BLACK, WHITE, INDEX, 0)
    for one in mixed[..., 0].numpy() == 200:
        rows, columns = one.any(1), one.any(0)
        assert (one == np.outer(rows, columns)).all()
        assert np.abs(np.diff(rows.astype(int))).sum() <= 2


def test_partners_are_drawn_from_the_epoch_alone_and_change_with_it():
    order = np.array([5, 6, 6, 9])
    first, second = (mixing("mixup").partners(INDEX, order, epoch) for epoch in (0, 1))
    assert set(first) == {5, 6, 9}
    assert np.mean(first == 6) == pytest.approx(0.5, abs=0.1)
    assert (first != second).any()


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
@given(chosen=st.permutations(range(6)))
@settings(max_examples=5)
def test_what_a_sample_becomes_does_not_depend_on_its_batch(name, chosen):
    images = torch.arange(6 * 8 * 8 * 3).reshape(6, 8, 8, 3) % 251
    whole, _ = mixing(name)(images, images.flip(0), np.arange(6), 2)
    part, _ = mixing(name)(images[chosen], images.flip(0)[chosen], np.array(chosen), 2)
    assert torch.equal(part, whole[chosen])


def test_the_loss_of_a_mixed_sample_is_that_of_both_classes_by_their_shares():
    batch = Batch(
        images=BLACK[:2],
        targets=torch.tensor([0, 1]),
        partners=Partners(targets=torch.tensor([1, 1]), kept=torch.tensor([0.75, 0.5])),
    )
    found = batch.loss(lambda logits, targets: 10.0 * targets, torch.zeros(2, 2))
    assert found.tolist() == [2.5, 10.0]
