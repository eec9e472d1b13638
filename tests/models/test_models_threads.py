"""How many CPU threads a net computes with."""

import pytest
import torch

from raresight.pipeline.core.parallel import available_cores
from raresight.pipeline.models.device import set_threads


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    before = torch.get_num_threads()
    for name in ("OMP_NUM_THREADS", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("key", "environment", "expected"),
    [
        (None, {}, available_cores()),
        (3, {}, 3),
        (None, {"OMP_NUM_THREADS": "3"}, 3),
        (None, {"OMP_NUM_THREADS": "3,1"}, 3),  # of nested regions, as OpenMP allows
        (None, {"OMP_NUM_THREADS": "many"}, available_cores()),
        (2, {"OMP_NUM_THREADS": "3"}, 2),
        # torchrun sets it to 1 where the user has set nothing
        (None, {"OMP_NUM_THREADS": "1", "LOCAL_WORLD_SIZE": "2"}, max(1, available_cores() // 2)),
    ],
)
def test_the_key_comes_first_then_the_environment_then_every_core(
    monkeypatch, key, environment, expected
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    set_threads(key)
    assert torch.get_num_threads() == expected
