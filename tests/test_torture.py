"""The short form of `make torture`: a few rounds over the stages without torch; nothing breaks."""

import random
from collections import Counter

from benchmarks.torture import child
from benchmarks.torture.__main__ import torture
from benchmarks.torture.project import WITHOUT_TORCH


def test_a_few_rounds_break_nothing(tmp_path):
    counts, peak = torture(tmp_path, stages=WITHOUT_TORCH, seed=5, go_on=lambda number: number < 4)
    assert not [name for name in counts if name.startswith("WRONG")]
    assert counts["flipped bits: named by verify"] == counts["flipped bits: tried"] == 12
    tried = [counts[name] for name in counts if name.endswith(": tried")]
    assert sum(tried) == 4 * 9
    reruns = [counts[name] for name in counts if name.endswith("right after one rerun")]
    assert sum(reruns) == 8
    assert 50e6 < peak < 4e9


def test_what_breaks_is_counted(tmp_path, monkeypatch):
    """A stage that leaves half an output, and says nothing meant for a person."""
    from benchmarks.torture import project, stopping

    found = Counter[str]()
    made = project.make(tmp_path, ("check",))

    def ended(words, *, log, **options):
        data = tmp_path / "work"
        (data / "checked/checked.txt").write_text("half")
        (data / ".checked.new").mkdir(exist_ok=True)
        return child.Ended(code=1, said="error: unexpected KeyError", seconds=0.1, peak=1)

    monkeypatch.setattr(child, "run", ended)
    stopping.fail(made, random.Random(1), found)
    wrong = "\n".join(name for name in found if name.startswith("WRONG"))
    for text in ("ended with 1", "left .checked.new", "is neither", "not right after a rerun"):
        assert text in wrong
