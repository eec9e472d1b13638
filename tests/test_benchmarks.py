"""The benchmarks run, on next to nothing, and their arithmetic is right; no time is judged."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from imports import ROOT
from program import invoke

from benchmarks import __main__ as program
from benchmarks import coverage, noop, supersampled, train
from benchmarks.measure import Goal, Measurement, Sizes, clock, interleave
from benchmarks.scenes import Piece, Scene, outlines
from raresight.generators.drawing.outline import SHAPES, cover, place
from raresight.pipeline.runtime.installation import install_line

TINY = Sizes(
    rounds=2,
    side=16,
    drawn=8,
    drawn_by_script=4,
    large_side=24,
    drawn_in_parallel=8,
    stored=12,
    copied=4,
    learned=32,
    read=6,
    judged=(400,),
)
ROWS = {
    "generate": ["rate", "speed-up"],
    "read": ["speed-up"],
    "shapes": ["speed-up", "speed-up", "decibels", "decibels", "speed-up"],
    "glyphs": ["speed-up"],
    "store": ["speed-up", "speed-up", "share", "share"],
    "augment": ["speed-up"],
    "train": ["speed-up"] * 12,
    "evaluate": ["speed-up", "speed-up", "seconds", "speed-up"],
    "predict": ["speed-up"] * 3,
    "noop": ["share", "seconds"],
}


def measurement(kind: str, bound: float) -> Measurement:
    return Measurement(
        what="work",
        peer="other work",
        ours=(1.0, 2.0, 4.0),
        theirs=(3.0, 8.0, 20.0),
        goal=Goal(kind=kind, bound=bound),
        images=100,
    )


# From Python 3.12 on, forking (as DataLoader does) beside another thread warns.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("name", program.BENCHMARKS)
def test_every_benchmark_returns_its_ratios(name, monkeypatch):
    # The project's own `dvc repro` takes half a minute, and test_repro.py has it already.
    monkeypatch.setattr(noop, "copy_of_ours", noop.empty_stages)
    # Eleven million weights add seconds, and nothing that is tested.
    small = [replace(case, model=train.CASES[0].model) for case in train.CASES]
    monkeypatch.setattr(train, "CASES", small)
    rows = list(program.measure(name, TINY))
    assert [row.goal.kind for row in rows] == ROWS[name]
    for row in rows:
        assert all(value > 0 for value in (*row.ours, *row.theirs))
        if row.missing is None:
            assert len(row.ours) == len(row.theirs) == TINY.rounds
            assert math.isfinite(row.median)


def test_the_project_to_do_nothing_in_is_ours_with_sound_params(tmp_path):
    project = noop.copy_of_ours(tmp_path / "project")
    assert (project / "dvc.yaml").read_bytes() == (ROOT / "dvc.yaml").read_bytes()
    assert not (project / "dvc.lock").exists()
    done = invoke("--params", project / "params.yaml", "validate")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("speed-up", [3, 4, 5]),
        ("share", [1 / 3, 1 / 4, 1 / 5]),
        ("rate", [100, 50, 25]),
        ("seconds", [1, 2, 4]),
        ("decibels", [1, 2, 4]),
    ],
)
def test_the_ratio_is_taken_round_by_round(kind, values):
    row = measurement(kind, 1)
    assert row.values == pytest.approx(values)
    assert row.median == pytest.approx(values[1])


@pytest.mark.parametrize(
    ("kind", "bound", "met"),
    [
        ("speed-up", 4.0, True),
        ("speed-up", 4.01, False),
        ("share", 0.25, True),
        ("share", 0.24, False),
        ("rate", 50, True),
        ("rate", 51, False),
        ("seconds", 2.0, True),
        ("seconds", 1.9, False),
        ("decibels", 2.0, True),
        ("decibels", 2.1, False),
    ],
)
def test_a_goal_is_a_least_speed_or_a_most_time(kind, bound, met):
    assert measurement(kind, bound).met is met


def test_timers_take_turns_after_one_warm_up():
    calls = []
    timers = [lambda name=name: calls.append(name) or float(len(calls)) for name in "ab"]
    assert interleave(*timers, rounds=2) == [(3.0, 5.0), (4.0, 6.0)]
    assert calls == list("ababab")
    assert interleave(*timers, rounds=1, warm_up=False) == [(7.0,), (8.0,)]


def test_a_clock_does_the_work_and_measures_it():
    done = []
    assert clock(lambda: done.append(1), before=lambda: done.append(0))() >= 0
    assert done == [0, 1]


def test_the_exact_picture_has_the_colours_by_their_areas():
    """A square over the left half of one pixel and the whole of the next, with a hole in that."""
    square = np.array([(0.5, 1.0), (2.0, 1.0), (2.0, 2.0), (0.5, 2.0)])
    hole = np.array([(1.25, 1.25), (1.25, 1.75), (1.75, 1.75), (1.75, 1.25)])
    piece = Piece(outlines=(square, hole), colour=(1.0, 0.0, 0.2))
    exact = supersampled.draw(Scene(side=3, ground=(0.0, 1.0, 0.2), pieces=(piece,)))
    covered = np.zeros((3, 3))
    covered[1, :2] = 0.5, 0.75
    assert exact[..., 0] == pytest.approx(255 * covered)
    assert exact[..., 1] == pytest.approx(255 * (1 - covered))
    assert exact[..., 2] == pytest.approx(51, abs=1e-3)


def test_decibels_are_those_of_the_mean_square_error_of_all_images():
    near, far = np.full((2, 2, 3), 1.0), np.full((2, 2, 3), 7.0)
    exact = [np.zeros((2, 2, 3))] * 2
    assert supersampled.decibels([near, far], exact) == pytest.approx(10 * math.log10(255**2 / 25))


@pytest.mark.parametrize("label", SHAPES)
def test_an_afternoons_scene_has_the_shape_of_the_generator(label):
    """As many points lie inside the outlines as the exact cover of the generator's says."""
    share = np.zeros((32, 32))
    cover(place(SHAPES[label], 16.0, 16.0, 0.0, 12.0, 12.0), share)
    moved = tuple(12.0 * outline + 16.0 for outline in outlines(label))
    piece = Piece(outlines=moved, colour=(1.0, 1.0, 1.0))
    exact = supersampled.draw(Scene(side=32, ground=(0.0, 0.0, 0.0), pieces=(piece,)))
    assert exact[..., 0].sum() / 255 == pytest.approx(share.sum(), rel=0.01)


@pytest.fixture
def one_row(monkeypatch):
    monkeypatch.setattr(program, "measure", lambda name, sizes: [measurement("speed-up", 5)])
    monkeypatch.setenv("RARESIGHT_VERBOSITY", "0")  # put back after main has set it


def test_the_table_holds_ratio_spread_and_goal(one_row, capsys):
    program.main(["generate", "--quick"])
    table = " ".join(capsys.readouterr().out.split())
    assert "4 (3-5)" in table
    assert ">= 5x" in table
    assert "2 s (50 images/s)" in table


def test_json_holds_every_round(one_row, capsys):
    program.main(["generate", "store", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert len(document["rows"]) == 2
    row = document["rows"][0]
    assert (row["median"], row["low"], row["high"], row["met"]) == (4, 3, 5, False)
    assert (row["unit"], row["ours"], row["theirs"]) == ("seconds", [1, 2, 4], [3, 8, 20])


def test_a_peer_that_is_not_installed_is_said_to_be_missing(monkeypatch, capsys):
    row = replace(measurement("speed-up", 5), theirs=(), missing="not installed: pip install it")
    monkeypatch.setattr(program, "measure", lambda name, sizes: [row])
    monkeypatch.setenv("RARESIGHT_VERBOSITY", "0")
    program.main(["generate"])
    assert "not installed: pip install it" in " ".join(capsys.readouterr().out.split())
    extra = replace(row, missing="pip install 'raresight[bench]', [/red]first")
    monkeypatch.setattr(program, "measure", lambda name, sizes: [extra])
    program.main(["generate"])
    told = " ".join(capsys.readouterr().out.split())
    assert f"{install_line('bench')}, [/red]first" in told.replace("│", "").replace("  ", " ")
    monkeypatch.setattr(program, "measure", lambda name, sizes: [row])
    program.main(["generate", "--json"])
    (entry,) = json.loads(capsys.readouterr().out)["rows"]
    assert entry["missing"] == "not installed: pip install it"
    assert "met" not in entry


def test_a_cpu_without_bfloat16_is_timed_in_float32_alone(monkeypatch, capsys):
    monkeypatch.setattr("raresight.pipeline.models.device.cpu_has_bfloat16", lambda: False)
    monkeypatch.setattr(train, "CASES", train.CASES[:1])
    monkeypatch.setattr(train, "interleave", lambda *timers, rounds: [(1.0,) for _ in timers])
    rows = list(program.measure("train", TINY))
    emulated = [row.missing is not None and "avx512_bf16" in row.missing for row in rows]
    assert emulated == [row.what.endswith("bfloat16") for row in rows]
    monkeypatch.setattr(program, "measure", lambda name, sizes: rows)
    monkeypatch.setenv("RARESIGHT_VERBOSITY", "0")
    program.main(["train"])
    assert "not measured: this CPU" in " ".join(capsys.readouterr().out.split())


def test_an_unknown_name_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit, match="2"):
        program.main(["sort"])
    assert re.search(
        "no benchmark sort.*generate, .*shapes, glyphs, store", capsys.readouterr().err
    )


@pytest.mark.parametrize("name", coverage.TABLES)
def test_every_table_of_coverage_holds_its_truth_in_tiny(name, monkeypatch):
    """One set of each table's first task: every figure has a row with what was held."""
    first = next(iter(coverage.TABLES[name]()))
    monkeypatch.setitem(coverage.TABLES, name, lambda: iter([first]))
    rows = list(coverage.simulate(name, sets=2))
    assert rows
    for row in rows:
        assert row.table == name
        assert row.none == 1 or (0 <= row.held <= 1 and row.width > 0)
