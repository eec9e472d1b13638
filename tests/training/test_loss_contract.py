"""Every entry of the registry of losses keeps the contract: a new one is tested by being there."""

import pytest
from loss_contract import CHECKS

from raresight.pipeline.training.optim.losses import LOSSES, Loss


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name, check):
    check(name)


def test_a_loss_that_forgets_to_say_what_it_implies_cannot_be_used():
    class Forgetful(Loss):
        name: str = "forgetful"

        def per_sample(self, counts, device):
            return lambda logits, targets: logits.sum(1)

    with pytest.raises(TypeError, match="implied"):
        Forgetful()
