"""Learning rates against tables worked out by hand and against torch's own schedulers."""

import pytest
import torch

from pipeline.training.params import ScheduleParams
from pipeline.training.schedules import learning_rate


def rates(name, *, warmup, total=10, per_epoch=1, base=1.0, final=0.01):
    schedule = ScheduleParams(name=name, warmup_epochs=float(warmup), final_share=final)
    return [
        learning_rate(k, base=base, total=total, steps_per_epoch=per_epoch, schedule=schedule)
        for k in range(total)
    ]


def test_warmup_climbs_linearly_to_the_base_rate():
    assert rates("constant", warmup=4, base=0.8)[:6] == pytest.approx(
        [0.2, 0.4, 0.6, 0.8, 0.8, 0.8]
    )


def test_warmup_counts_epochs_in_steps():
    assert rates("constant", warmup=0.5, per_epoch=4)[:3] == [0.5, 1.0, 1.0]


def test_cosine_equals_torch():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10, eta_min=0.01)
    expected = []
    for _ in range(10):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates("cosine", warmup=0) == pytest.approx(expected, rel=1e-9)


def test_exponential_loses_the_same_factor_every_step():
    found = rates("exponential", warmup=2, total=12, final=0.5**10)
    assert found[2:] == pytest.approx([0.5**k for k in range(10)])
