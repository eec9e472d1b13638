"""Every entry of the registry of schedules keeps what a training relies on."""

import math

import pytest
from toy_training import train_params

from raresight.pipeline.training.optim.learning_rate import learning_rate, momentum
from raresight.pipeline.training.optim.schedules import SCHEDULES

STEPS, EPOCHS = 4, 100  # long enough for the epochs at which some change by default
WARM = {"name": "linear", "epochs": 3, "start_factor": 0.1}
GOOD = [k / EPOCHS for k in range(EPOCHS)]  # of a value that should rise
BAD = [1.0] * EPOCHS


def params(name, **keys):
    return train_params(schedule={"name": name, **keys}, epochs=EPOCHS)


def rates(schedule, *, base=1.0, history=BAD):
    return [
        learning_rate(
            step, base=base, epochs=EPOCHS, steps_per_epoch=STEPS, schedule=schedule,
            history=history[: step // STEPS],
        )
        for step in range(EPOCHS * STEPS)
    ]  # fmt: skip


@pytest.mark.parametrize("interval", ["step", "epoch"])
@pytest.mark.parametrize("warmup", [None, WARM], ids=["cold", "warm"])
@pytest.mark.parametrize("name", SCHEDULES)
class TestEverySchedule:
    def test_a_rate_is_a_positive_share_of_the_base_and_proportional_to_it(
        self, name, warmup, interval
    ):
        schedule = params(name, warmup=warmup, interval=interval).schedule
        found = rates(schedule)
        assert all(0 < rate <= 1 + 1e-9 for rate in found)
        assert rates(schedule, base=0.5) == pytest.approx([rate / 2 for rate in found])

    def test_by_epoch_it_is_the_same_for_all_steps_of_one(self, name, warmup, interval):
        found = rates(params(name, warmup=warmup, interval=interval).schedule)
        epochs = [set(found[k : k + STEPS]) for k in range(0, len(found), STEPS)]
        if interval == "epoch":
            assert all(len(epoch) == 1 for epoch in epochs)

    def test_the_warm_up_climbs_to_where_it_begins(self, name, warmup, interval):
        found = rates(params(name, warmup=warmup, interval=interval).schedule)
        if warmup is not None:
            climb = found[: 3 * STEPS]
            assert climb == sorted(climb)
            assert climb[-1] == pytest.approx(found[3 * STEPS])

    def test_it_looks_at_the_curves_only_where_it_says_so(self, name, warmup, interval):
        schedule = params(name, warmup=warmup, interval=interval).schedule
        differ = rates(schedule, history=GOOD) != rates(schedule, history=BAD)
        assert differ == (schedule.monitored is not None)

    def test_a_momentum_is_given_throughout_or_never(self, name, warmup, interval):
        schedule = params(name, warmup=warmup, interval=interval).schedule
        place = {"epochs": EPOCHS, "steps_per_epoch": STEPS, "schedule": schedule}
        found = [momentum(step, **place) for step in range(EPOCHS * STEPS)]
        assert all((value is not None) == schedule.cycles_momentum for value in found)
        assert all(value is None or 0 < value < 1 for value in found)


@pytest.mark.parametrize("name", SCHEDULES)
def test_it_comes_from_params_and_goes_back(name):
    schedule = params(name).schedule
    assert type(schedule) is SCHEDULES[name]
    dumped = schedule.model_dump(mode="json")
    assert train_params(schedule=dumped, epochs=EPOCHS).schedule == schedule


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_warm_up_as_long_as_the_training_is_refused(name):
    with pytest.raises(ValueError, match=r"schedule\.warmup\.epochs \(100\) must be less than"):
        params(name, warmup={**WARM, "epochs": EPOCHS})


def test_a_cycled_momentum_is_a_momentum():
    schedule = params("one_cycle", momentum={"lowest": 0.8}).schedule
    assert schedule.cycles_momentum
    found = momentum(0, epochs=EPOCHS, steps_per_epoch=STEPS, schedule=schedule)
    assert math.isclose(found, 0.95)
