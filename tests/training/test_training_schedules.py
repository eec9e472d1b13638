"""Learning rates against torch's own schedulers at every step, else against tables by hand."""

import math
from itertools import pairwise

import pytest
import torch
from torch.optim import lr_scheduler
from toy_training import train_params, trainer

from raresight.pipeline.training.optim.learning_rate import learning_rate, momentum

STEPS, EPOCHS = 5, 12  # steps of an epoch
KINDS = {
    "constant": {},
    "linear": {"min_lr_ratio": 0.1},
    "exponential": {"min_lr_ratio": 0.01},
    "step": {"every": 4, "factor": 0.3},
    "multi_step": {"milestones": [4, 7, 10], "factor": 0.5},
    "polynomial": {"power": 2.0, "min_lr_ratio": 0.0},
    "cosine": {"min_lr_ratio": 0.01, "num_restarts": 0, "t_mult": 1},
    "one_cycle": {"start_factor": 0.04, "pct_start": 0.3, "min_lr_ratio": 4e-6, "momentum": None},
    "on_plateau": {
        "monitor": "val_loss", "factor": 0.5, "patience": 1, "min_delta": 0.0, "min_lr_ratio": 0.0
    },
}  # fmt: skip
WARMUPS = {
    "none": None,
    "linear": {"name": "linear", "epochs": 3, "start_factor": 0.1},
    "exponential": {"name": "exponential", "epochs": 3, "start_factor": 0.1},
}
LOSSES = [1.0, 0.9, 0.95, 0.92, 0.91, 0.8, 0.81, 0.82, 0.83, 0.84, 0.7, 0.6]


def schedule(name, *, by="step", warmup=None, epochs=EPOCHS, **changes):
    group = {"name": name, "interval": by, "warmup": warmup, **KINDS[name], **changes}
    return train_params(schedule=group, epochs=epochs).schedule


def rates(params, *, base=0.8, history=()):
    """The rate of every step; of an on-plateau schedule, with the values of finished epochs."""
    return [
        learning_rate(
            k, base=base, epochs=EPOCHS, steps_per_epoch=STEPS, schedule=params,
            history=history[: k // STEPS],
        )
        for k in range(STEPS * EPOCHS)
    ]  # fmt: skip


def torch_scheduler(name, optimizer, *, updates, per_epoch, skipped=0):
    """torch's counterpart over so many updates, with milestones in updates since ``skipped``."""
    kind = KINDS[name]
    return {
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
        "linear": lambda: lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=updates),
        "exponential": lambda: lr_scheduler.ExponentialLR(optimizer, 0.01 ** (1 / updates)),
        "step": lambda: lr_scheduler.MultiStepLR(
            optimizer, [4 * per_epoch - skipped, 8 * per_epoch - skipped], 0.3
        ),
        "multi_step": lambda: lr_scheduler.MultiStepLR(
            optimizer, [m * per_epoch - skipped for m in kind["milestones"]], 0.5
        ),
        "polynomial": lambda: lr_scheduler.PolynomialLR(optimizer, updates, power=2.0),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, updates, eta_min=0.8 * 0.01),
        "one_cycle": lambda: lr_scheduler.OneCycleLR(
            optimizer, 0.8, total_steps=updates, pct_start=0.3, div_factor=25,
            final_div_factor=0.04 / 4e-6, cycle_momentum=False,
        ),
    }[name]()  # fmt: skip


def of_torch(name, *, by, warmup):
    """The rates that torch gives each step: its warm-up, then its schedule from there on."""
    per_epoch = STEPS if by == "step" else 1
    total = EPOCHS * per_epoch
    warm = 0 if warmup is None else int(warmup["epochs"] * per_epoch)
    found = _run(
        lambda o: torch_scheduler(name, o, updates=total - warm, per_epoch=per_epoch, skipped=warm),
        total - warm,
    )
    if warm:
        found = _run(lambda o: _torch_warmup(o, warmup, warm), warm, base=found[0]) + found
    return [rate for rate in found for _ in range(1 if by == "step" else STEPS)]


def _torch_warmup(optimizer, warmup, updates):
    if warmup["name"] == "linear":
        first = 0.1 + 0.9 / updates
        return lr_scheduler.LinearLR(optimizer, first, 1.0, total_iters=updates - 1)
    gamma = 0.1 ** (-1 / updates)
    optimizer.param_groups[0]["lr"] *= 0.1 * gamma
    optimizer.param_groups[0]["initial_lr"] = optimizer.param_groups[0]["lr"]
    return lr_scheduler.ExponentialLR(optimizer, gamma)


def _run(make, updates, base=0.8):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    scheduler, found = make(optimizer), []
    for _ in range(updates):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("by", ["step", "epoch"])
@pytest.mark.parametrize("warmup", WARMUPS.values(), ids=WARMUPS)
@pytest.mark.parametrize("name", [name for name in KINDS if name != "on_plateau"])
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_every_step_equals_torch(name, warmup, by):
    found = rates(schedule(name, by=by, warmup=warmup))
    assert found == pytest.approx(of_torch(name, by=by, warmup=warmup), rel=1e-6)


@pytest.mark.parametrize("name", ["linear", "step"])
def test_step_and_linear_equal_the_namesakes_of_torch(name):
    make = {
        "linear": lambda o: lr_scheduler.LinearLR(o, 1.0, 0.1, total_iters=STEPS * EPOCHS),
        "step": lambda o: lr_scheduler.StepLR(o, 4 * STEPS, 0.3),
    }[name]
    assert rates(schedule(name)) == pytest.approx(_run(make, STEPS * EPOCHS), rel=1e-9)


def test_on_plateau_equals_torch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=1, threshold=0.0, threshold_mode="abs", eps=0
    )
    expected = []
    for loss in LOSSES:
        expected += [optimizer.param_groups[0]["lr"]] * STEPS
        scheduler.step(loss)
    assert rates(schedule("on_plateau"), history=LOSSES) == pytest.approx(expected, rel=1e-12)
    assert expected[-1] == 0.8 / 8


def test_on_plateau_by_hand_in_its_default_form():
    """Factor 0.5, patience 5: the sixth epoch in a row without a gain halves the rate."""
    plateau = {"name": "on_plateau", "interval": "epoch", "warmup": None, "monitor": "val_loss",
               "min_delta": 0.0, "min_lr_ratio": 0.0}  # fmt: skip
    params = train_params(schedule=plateau, epochs=20).schedule
    counts = [params.reductions([1.0] + [1.0] * waited) for waited in range(13)]
    assert counts == [0] * 6 + [1] * 6 + [2]


def test_on_plateau_waits_for_the_warmup_and_stops_at_the_final_share():
    params = schedule("on_plateau", warmup=WARMUPS["linear"], patience=0, min_lr_ratio=0.3)
    found = rates(params, history=[1.0] * EPOCHS)[::STEPS]
    assert found[3:] == pytest.approx([0.8, 0.8, 0.4] + [0.8 * 0.3] * 6)


def test_warmup_then_multi_step_by_hand_in_its_default_form():
    milestones = {"name": "multi_step", "interval": "epoch",
                  "warmup": {"name": "linear", "epochs": 5, "start_factor": 0.0}}  # fmt: skip
    params = train_params(schedule=milestones, epochs=100).schedule
    found = [
        learning_rate(e, base=1.0, epochs=100, steps_per_epoch=1, schedule=params)
        for e in range(100)
    ]
    by_hand = [0.2, 0.4, 0.6, 0.8] + [1.0] * 11 + [0.5] * 30 + [0.25] * 25 + [0.125] * 20
    assert found == pytest.approx(by_hand + [0.0625] * 10)


def test_warmup_then_exponential_by_hand():
    warmup = {"name": "linear", "epochs": 2, "start_factor": 0.0}
    params = schedule("exponential", by="epoch", warmup=warmup, min_lr_ratio=0.5**10)
    assert rates(params, base=1.0)[::STEPS] == pytest.approx(
        [0.5, 1.0] + [0.5**k for k in range(10)]
    )


@pytest.mark.parametrize(("stretch", "first"), [(1, 20), (2, 60 / 7)])
def test_cosine_restarts_equal_torch(stretch, first):
    """Three runs of 20 steps, or of 1, 2 and 4 parts in seven."""
    params = schedule("cosine", num_restarts=2, t_mult=stretch)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    scheduler = lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, 1, T_mult=stretch, eta_min=0.008
    )
    expected = []
    for k in range(STEPS * EPOCHS):
        scheduler.step(k / first + 1e-12)
        expected.append(optimizer.param_groups[0]["lr"])
    assert rates(params) == pytest.approx(expected, rel=1e-6)


def test_one_cycle_meets_its_three_rates():
    found = rates(schedule("one_cycle", pct_start=0.25), base=1.0)
    assert found[0] == pytest.approx(0.04)
    assert found[14] == pytest.approx(1.0)
    assert found[-1] == pytest.approx(4e-6)


def test_warmup_of_part_of_an_epoch_counts_in_steps():
    warmup = {"name": "linear", "epochs": 0.8, "start_factor": 0.0}
    assert rates(schedule("constant", warmup=warmup), base=1.0)[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_an_exponential_warmup_grows_by_the_same_factor():
    warmup = {"name": "exponential", "epochs": 2, "start_factor": 0.01}
    found = rates(schedule("constant", warmup=warmup), base=1.0)
    ratios = [b / a for a, b in pairwise(found[:10])]
    assert ratios == pytest.approx([math.exp(math.log(100) / 10)] * 9)
    assert found[9] == pytest.approx(1.0)


CYCLED = {"lowest": 0.8, "highest": 0.95}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("by", ["step", "epoch"])
def test_one_cycle_moves_the_momentum_as_torch_does_at_every_step(by, optimizer):
    per_epoch = STEPS if by == "step" else 1
    weight = [torch.nn.Parameter(torch.zeros(1))]
    theirs = {
        "sgd": lambda: torch.optim.SGD(weight, lr=0.8, momentum=0.9),
        "adamw": lambda: torch.optim.AdamW(weight, lr=0.8),
    }[optimizer]()
    scheduler = lr_scheduler.OneCycleLR(
        theirs, 0.8, total_steps=EPOCHS * per_epoch, pct_start=0.3,
        cycle_momentum=True, base_momentum=0.8, max_momentum=0.95,
    )  # fmt: skip
    group, expected = theirs.param_groups[0], []
    for update in range(EPOCHS * per_epoch):
        if update:
            theirs.step()
            scheduler.step()
        value = group["momentum"] if optimizer == "sgd" else group["betas"][0]
        expected += [value] * (STEPS // per_epoch)
    params = schedule("one_cycle", by=by, momentum=CYCLED)
    found = [
        momentum(k, epochs=EPOCHS, steps_per_epoch=STEPS, schedule=params)
        for k in range(EPOCHS * STEPS)
    ]
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_warm_up_has_the_highest_momentum():
    params = schedule("one_cycle", momentum=CYCLED, warmup=WARMUPS["linear"])
    place = {"epochs": EPOCHS, "steps_per_epoch": STEPS, "schedule": params}
    assert [momentum(k, **place) for k in range(3 * STEPS)] == [0.95] * 15
    assert momentum(3 * STEPS + 4, **place) < 0.95


def test_other_schedules_leave_the_momentum_as_it_is():
    for name in KINDS:
        assert momentum(7, epochs=EPOCHS, steps_per_epoch=STEPS, schedule=schedule(name)) is None


@pytest.mark.parametrize(("name", "read"), [
    ("sgd", lambda group: group["momentum"]), ("adamw", lambda group: group["betas"][0]),
])  # fmt: skip
def test_a_training_steps_with_the_cycled_momentum(name, read):
    group = {**KINDS["one_cycle"], "name": "one_cycle", "interval": "step", "warmup": None}
    optimizer = {"name": name, "learning_rate": 0.01, "momentum": 0.9}
    run = trainer(epochs=2, optimizer=optimizer, schedule={**group, "momentum": CYCLED})
    seen = []
    step = run.update.step
    run.update.step = lambda: seen.append(read(run.update.optimizer.param_groups[0])) or step()
    run.fit()
    expected = [
        momentum(k, epochs=2, steps_per_epoch=run.steps_per_epoch, schedule=run.params.schedule)
        for k in range(2 * run.steps_per_epoch)
    ]
    assert seen == expected
    assert min(seen) < 0.85


def test_a_momentum_that_is_off_cannot_be_cycled():
    with pytest.raises(ValueError, match=r"schedule\.momentum.*optimizer\.momentum"):
        train_params(
            schedule={
                **KINDS["one_cycle"], "name": "one_cycle", "interval": "step", "warmup": None,
                "momentum": CYCLED,
            },
            optimizer={"name": "sgd", "learning_rate": 0.1, "momentum": 0.0},
        )  # fmt: skip
