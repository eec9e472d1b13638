"""The short form of `make torture`: a few rounds over the stages without torch; nothing breaks."""

import contextlib
import os
import random
import signal
import time
from collections import Counter

import pytest

from benchmarks.fuzzing import __main__ as fuzzing
from benchmarks.fuzzing.targets import TARGETS
from benchmarks.torture import batches, child, failing
from benchmarks.torture.__main__ import ENOUGH, PARTS, main, torture
from benchmarks.torture.project import WITHOUT_TORCH, make
from benchmarks.torture.run import Run
from raresight.pipeline.runtime.errors import DataError

ASKED = {"kills": 1, "signals": 1, "calls": 3, "flips": 6, "mutations": 25, "stages": 1}


def test_a_few_rounds_break_nothing(tmp_path):
    run, done = torture(tmp_path, stages=WITHOUT_TORCH, seed=5, asked=ASKED)
    counts = run.counts
    assert not [name for name in counts if name.startswith("WRONG") and counts[name]]
    assert all(done[name] >= ASKED[name] for name in ASKED)
    assert counts["flipped bits: named by verify"] == counts["flipped bits: tried"] == 6
    stopped = [name for name in counts if "SIG" in name or "failing calls" in name]
    tried, right = (
        sum(counts[name] for name in stopped if name.endswith(end))
        for end in (": tried", ": right after one rerun")
    )
    assert tried == right >= 5
    answers = [name for name in counts if name.startswith(("mutations: could", "mutations: ref"))]
    assert sum(counts[name] for name in answers) == counts["mutations: tried"] == 25
    assert 50e6 < max(run.peaks) < 4e9
    assert max(run.slowest) < batches.HANG


def test_a_job_that_ends_its_process_costs_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "HANG", 0.3)

    def refuse():
        raise DataError("no")

    def fault():
        raise KeyError("x")

    def spin():
        while True:
            time.process_time()

    jobs = [refuse, lambda: os.kill(os.getpid(), signal.SIGKILL), fault, spin, lambda: None]
    found = list(batches.in_batches(jobs, tmp_path / "log"))
    assert [one.kind for one in found] == ["refused", "crash", "unexpected", "hang", "read"]
    assert (found[0].code, found[1].code) == (65, -signal.SIGKILL)


def test_what_breaks_is_counted(tmp_path, monkeypatch):
    """A stage that leaves half an output, and says nothing meant for a person."""
    run = Run(project=make(tmp_path, ("check",)), rng=random.Random(1), counts=Counter())

    def ended(words, *, log, **options):
        data = tmp_path / "work"
        (data / "checked/checked.txt").write_text("half")
        (data / ".checked.new").mkdir(exist_ok=True)
        return child.Ended(code=1, said="error: unexpected KeyError", seconds=0.1, peak=1)

    monkeypatch.setattr(child, "run", ended)
    assert next(failing.calls(run)) == 1
    wrong = "\n".join(name for name in run.counts if name.startswith("WRONG"))
    for text in ("ended with 1", "left .checked.new", "is neither", "not right after a rerun"):
        assert text in wrong


def test_the_command_knows_its_parts(capsys):
    assert set(ENOUGH) == set(PARTS)
    with pytest.raises(SystemExit):
        main(["--only", "floods"])
    assert "no part floods" in capsys.readouterr().err


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_fuzzed_reads_its_seeds_and_answers_nonsense(name, tmp_path):
    target, rng = TARGETS[name], random.Random(3)
    for content in target.seeds(tmp_path):
        target.read(tmp_path, content)
        assert len(content) <= target.longest
        broken = bytearray(content)
        broken[rng.randrange(1, len(broken))] ^= 0xFF
        with contextlib.suppress(*target.answers):
            target.read(tmp_path, bytes(broken))


def test_fuzzing_says_what_it_needs(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "atheris", None)
    assert fuzzing.main(["params", "--minutes", "0"]) == 78
    assert "pip install atheris" in capsys.readouterr().err
