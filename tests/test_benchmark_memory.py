"""What a command takes is measured as it is, and the million's two roads are walked to the end."""

import json
import os
import sys
from pathlib import Path

import pytest
from imports import ROOT
from ruamel.yaml import YAML

from benchmarks import memory, million
from raresight.pipeline.stages.table import STAGES

LINUX = Path("/proc/self/status").exists()
pytestmark = pytest.mark.skipif(not LINUX, reason="needs Linux's /proc")

MEBIBYTES = 64
TAKES = f"held = bytearray({MEBIBYTES} << 20)"
READS = """
import mmap
with open('file', 'rb') as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as held:
    sum(held[::4096])
    sleep(0.5)
"""


@pytest.mark.parametrize(
    ("program", "kind", "other"),
    [
        (f"{TAKES}; sleep(0.5)", "anonymous", "mapped"),
        (READS, "mapped", "anonymous"),
        (
            "import subprocess, sys\n"
            f"subprocess.run([sys.executable, '-c', 'import time; {TAKES}; time.sleep(0.5)'])",
            "anonymous",
            "mapped",
        ),
    ],
    ids=["its own", "a file's", "a child's"],
)
def test_peaks_are_of_their_kind(program, kind, other, tmp_path):
    (tmp_path / "file").write_bytes(bytes(MEBIBYTES << 20))
    taken = memory.watch((sys.executable, "-c", f"from time import sleep\n{program}"), tmp_path)
    assert getattr(taken, kind) >= MEBIBYTES << 20
    assert getattr(taken, other) < MEBIBYTES << 20


def test_a_process_that_is_gone_takes_nothing():
    assert memory.resident(2**31 - 2) == {}
    assert memory.resident(os.getpid())["anonymous"] > 1 << 20


def test_the_roads_differ_in_how_often_the_disease_is_drawn():
    params = {name: YAML(typ="safe").load(ROOT / path) for name, path in million.ROADS.items()}
    source = {name: dict(one["generate"]["sources"][0]) for name, one in params.items()}
    drawn = {name: (one.pop("count"), one.pop("prevalence")) for name, one in source.items()}
    assert source["million"] == source["enriched"]
    assert drawn["million"] == (1_000_000, {"mitotic": 1e-4})
    assert {one["evaluate"]["deployment_prevalence"] for one in params.values()} == {1e-4}


def test_both_roads_end_in_an_answer(tmp_path, monkeypatch, capsys):
    small = {
        "generate": {
            "sources": [
                {
                    "generator": "shapes",
                    "count": 60,
                    "prevalence": {"star": 0.4},
                    "options": {"classes": ["star", "circle"]},
                }
            ],
            "image_size": 16,
            "positive": "star",
        },
        "augment": {}, "split": {}, "clean": {}, "enlarge": {},
        "train": {"epochs": 2, "batch_size": 16, "threads": 1},
        "evaluate": {"num_bootstrap": 100, "deployment_prevalence": 1e-3},
        "report": {},
    }  # fmt: skip
    YAML().dump(small, tmp_path / "small.yaml")
    monkeypatch.setattr(million, "ROADS", dict.fromkeys(million.ROADS, tmp_path / "small.yaml"))
    found = tmp_path / "found.json"
    asked = ["--images", "80", "--enriched", "60", "--folder", tmp_path / "kept", "--json", found]
    million.main([str(argument) for argument in asked])
    enriched, whole = json.loads(found.read_text())
    assert [row["stage"] for row in whole["rows"]] == list(STAGES)
    assert (enriched["rows"][0]["images"], whole["rows"][0]["images"]) == (60, 80)
    assert whole["positives"] + whole["negatives"] == 12  # 15 %
    assert whole["always_negative"] == pytest.approx(0.999)
    by_name = {row["stage"]: row for row in whole["rows"]}
    assert by_name["generate"]["written"] > 80 * 16 * 16 * 3
    assert "recall at 0.001" in capsys.readouterr().out


def test_photographs_are_read_in_and_predicted(tmp_path):
    rows = {row.stage: row for row in memory.photographs(tmp_path, 12)}
    assert list(rows) == ["generate --workers 2", "predict --workers 1", "predict --workers 2"]
    assert all(row.images == 12 and row.anonymous > 0 for row in rows.values())
    assert rows["generate --workers 2"].written > 12 * 224 * 224 * 3
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 13
