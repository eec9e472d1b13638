"""The scenarios that find-lr is judged on are the shipped ones, with fewer images."""

import math

import pytest

from benchmarks import find_lr as benchmark
from raresight.pipeline.commands import validate
from raresight.pipeline.core.params import load_section
from raresight.pipeline.runtime.errors import DivergedError
from raresight.pipeline.training.job import Job
from raresight.pipeline.training.params import TrainParams


@pytest.mark.parametrize("name", benchmark.SCENARIOS)
def test_a_reduced_scenario_is_sound_and_trains_the_shipped_net(name, tmp_path):
    params = benchmark.reduced(name, tmp_path)
    train = validate.run(params)["train"]
    shipped = load_section(benchmark.ROOT / f"params/{name}.yaml", "train", TrainParams)
    changed = {"epochs": benchmark.EPOCHS[name], "threads": 1, "early_stopping": None}
    assert train == shipped.model_copy(update=changed)


def test_a_training_that_diverges_has_no_quality(monkeypatch, tmp_path):
    def diverge(self):
        assert self.params.optimizer.learning_rate == 0.5
        raise DivergedError("the loss is nan")

    monkeypatch.setattr(Job, "trainer", diverge)
    params = load_section(benchmark.ROOT / "params.yaml", "train", TrainParams)
    assert math.isnan(benchmark.quality(params, 0.5, {"inputs": None, "data": tmp_path}))
