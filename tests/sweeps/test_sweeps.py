"""Learning curves by hand, nested positives, and a sweep that goes on where it was stopped."""

from io import StringIO
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from program import invoke
from rich.console import Console

from raresight.pipeline.commands.plan_data import SHARES, planned
from raresight.pipeline.sweeps import engine
from raresight.pipeline.sweeps.engine import Arm, Measured, nested, sweep
from raresight.pipeline.sweeps.learning_curve import back_test, carried_on, forecast
from raresight.pipeline.terminal.plan_data import render
from raresight.pipeline.training.params import TrainParams

SIZES = np.array([25.0, 50, 100, 200])


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_a_curve_of_either_family_is_carried_on_as_it_is(floor):
    def curve(n):
        return floor + 2 * n**-0.5

    found = carried_on(SIZES, curve(SIZES), np.array([400.0, 800]), floor=floor > 0)
    np.testing.assert_allclose(found, curve(np.array([400.0, 800])), rtol=0.02)


def test_an_error_that_grows_with_more_is_not_carried_on():
    found = carried_on(SIZES, np.array([0.2, 0.2, 0.3, 0.3]), np.array([800.0]), floor=False)
    assert found == pytest.approx(np.exp(np.log([0.2, 0.2, 0.3, 0.3]).mean()))


def test_the_interval_holds_both_families_and_is_wider_for_fewer_seeds():
    rng = np.random.Generator(np.random.PCG64(5))
    errors = (2 * SIZES**-0.5)[:, None] * np.exp(rng.normal(0, 0.03, (4, 6)))
    many, few = (forecast(SIZES, errors[:, :k], [400, 800], seed=1) for k in (6, 3))
    for one in many:
        families = [
            carried_on(SIZES, errors.mean(1), np.array([one.size]), floor=floor)[0]
            for floor in (False, True)
        ]
        assert one.low <= min(families) <= one.expected <= max(families) <= one.high
        assert one.low < 2 * one.size**-0.5 < one.high
    assert [one.high / one.low for one in many] < [one.high / one.low for one in few]
    before = back_test(SIZES, errors, seed=1)
    assert before == forecast(SIZES[:3], errors[:3], [200], seed=1)[0]
    assert before.low < errors[3].mean() < before.high
    assert forecast(SIZES, errors, [400], seed=1) == forecast(SIZES, errors, [400], seed=1)
    with pytest.raises(ValueError, match="at most 4 times ahead"):
        forecast(SIZES, errors, [801], seed=1)


def test_an_error_that_falls_faster_and_faster_may_go_on_so_and_below_the_resolution_reaches_0():
    errors = np.array([0.5, 0.35, 0.14, 0.03])[:, None] * np.exp([[-0.05, 0.0, 0.05]])
    found = forecast(SIZES, errors, [2 * SIZES[-1]], seed=1)[0]
    assert 0 < found.low < 0.03 * 0.03 / 0.14  # the last step once more
    assert forecast(SIZES, errors, [2 * SIZES[-1]], seed=1, resolution=0.01)[0].low == 0
    coarse = forecast(SIZES, errors, [2 * SIZES[-1]], seed=1, resolution=found.low)[0]
    assert coarse == found


def test_fewer_positives_are_among_more_and_groups_stay_whole():
    targets = np.array([0] * 40 + [1] * 32)
    groups = np.array([f"n{k}" for k in range(40)] + [f"p{k // 2}" for k in range(32)])
    kept = [nested(targets, groups, 1, share, seed=3) for share in SHARES]
    assert [int(one[40:].sum()) for one in kept] == [4, 8, 16, 32]
    for fewer, more in pairwise(kept):
        assert not (fewer & ~more).any()
        assert fewer[:40].all()
        assert (fewer[40::2] == fewer[41::2]).all()
    assert (nested(targets, groups, 1, 1 / 8, seed=4) != kept[0]).any()


def test_a_sweep_that_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    for name in ("generated", "augmented", "splits"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(name)
    images = SimpleNamespace(
        originals=SimpleNamespace(ids=np.array(["a", "b", "c"])), enlarged=None
    )
    arms = [
        Arm(name=str(k), seed=seed, images=images, rows=np.arange(k))
        for k in (1, 2, 3)
        for seed in (1, 2)
    ]
    trained = []

    def train(arm, params, data, key, device):
        assert (params.seed, params.checkpoint, params.early_stopping) == (arm.seed, "last", None)
        if len(trained) == 4:
            raise KeyboardInterrupt
        trained.append(arm)
        return len(arm.rows) / 10 + arm.seed / 100, np.array([arm.seed], np.float32)

    monkeypatch.setattr(engine, "_train", train)
    asked = {"data": tmp_path, "name": "plan", "device": None}
    with pytest.raises(KeyboardInterrupt):
        sweep(arms, TrainParams(), **asked)
    trained.clear()
    with (tmp_path / ".sweep/plan.jsonl").open("a") as file:
        file.write('\n{"key": "cut sh')
    done = []
    found = sweep(arms, TrainParams(), on_done=done.append, **asked)
    assert trained == arms[4:]
    assert [(one.name, one.seed) for one in found] == [(arm.name, arm.seed) for arm in arms]
    assert len(done) == len(found)
    assert [one.scores.tolist() for one in found] == [[1], [2]] * 3
    assert [one.average_precision for one in found] == pytest.approx(
        [0.11, 0.12, 0.21, 0.22, 0.31, 0.32]
    )
    trained.clear()
    sweep(arms, TrainParams(), **asked)
    assert trained == []
    # Other images, params or data are other trainings.
    (tmp_path / "splits/manifest.json").write_text("others")
    trained.clear()
    sweep(arms[:1], TrainParams(), **asked)
    assert trained == arms[:1]


def plan_of(ends, judged_by=50):
    values = [
        Measured(name="", seed=s, average_precision=a + s / 100) for a in ends for s in (0, 1)
    ]
    counts = [n for n in (10, 20, 40, 80) for _ in range(2)]
    return planned("rare", counts, values, num_seeds=2, judged_by=judged_by)


def told(plan):
    console = Console(width=80, record=True, file=StringIO())
    console.print(render(plan))
    return " ".join(console.export_text().split())


def test_the_plan_says_what_to_expect_and_whether_to_trust_it():
    steady = plan_of([0.4, 0.55, 0.66, 0.745])
    assert steady.foretold
    assert [round(one.size) for one in steady.ahead] == [160, 320]
    assert steady.ahead[1].expected < steady.ahead[0].expected < 1 - 0.745
    text = told(steady)
    assert "160 (2 times as many)" in text
    assert "the first three points would have foretold the last" in text
    assert "too few to judge by" not in text
    jumped = plan_of([0.4, 0.41, 0.42, 0.95], judged_by=12)
    assert not jumped.foretold
    text = told(jumped)
    assert "would not have foretold" in text
    assert "Validation holds 12 positives, too few to judge by" in text


def test_what_is_for_it_alone_is_refused_without_it():
    found = invoke("plan", "--seeds", "2")
    assert found.exit_code == 2
    assert "--seeds: only with --more-data" in found.output
