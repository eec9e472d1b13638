"""What a command takes is measured as it is, and the million's two roads are walked to the end."""

import json
import os
import shutil
import sys
from pathlib import Path

import judged as judged_images
import pytest
from imports import ROOT
from kept_model import make_project
from ruamel.yaml import YAML

from benchmarks import memory, million
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.stages.table import STAGES

LINUX = Path("/proc/self/status").exists()
pytestmark = pytest.mark.skipif(not LINUX, reason="needs Linux's /proc")

SPLITS_OF_RARE = [
    split
    for split, label in zip(judged_images.SPLITS, judged_images.LABELS, strict=True)
    if label == "rare"
]
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


def test_a_stage_is_run_as_its_command(tmp_path):
    source = {"generator": "shapes", "count": 40, "options": {"classes": ["star", "circle"]}}
    source["prevalence"] = {"star": 0.4}
    small = {"generate": {"sources": [source], "image_size": 16, "positive": "star"}}
    (row,) = memory.stages(tmp_path, memory.scaled(small, 80), ["generate"])
    assert (row.stage, row.images) == ("generate", 80)
    assert row.written > 80 * 16 * 16 * 3
    assert len(Dataset(tmp_path / "data/generated")) == 80


def test_both_roads_end_in_an_answer(tmp_path, monkeypatch, capsys):
    (tmp_path / "kept").mkdir()
    judged = make_project(tmp_path / "kept")

    def stages(folder, params, names):
        """As if every stage had run: what evaluate found is there."""
        shutil.copytree(judged.data, folder / "data")
        images = params["generate"]["sources"][0]["count"]
        taken = {"seconds": 2.0, "anonymous": 3 << 20, "mapped": 5 << 20, "written": 7}
        for name in names:
            yield memory.Row(stage=name, images=images, **taken)

    monkeypatch.setattr(million, "stages", stages)
    found = tmp_path / "found.json"
    million.main(["--images", "80", "--enriched", "60", "--json", str(found)])
    enriched, whole = json.loads(found.read_text())
    assert [row["stage"] for row in whole["rows"]] == list(STAGES)
    assert (enriched["rows"][0]["images"], whole["rows"][0]["images"]) == (60, 80)
    results = json.loads((judged.data / "evaluation/results.json").read_text())
    recall = results["deployment"]["model"]["recall"]
    assert whole["figures"]["recall"].startswith(f"{recall:.3g} (")
    assert whole["positives"] == SPLITS_OF_RARE.count("test")
    assert whole["positives"] + whole["negatives"] == judged_images.SPLITS.count("test")
    assert whole["always_negative"] == pytest.approx(1 - 1e-3)
    printed = capsys.readouterr().out
    assert "recall at 0.001" in printed
    assert f"{2 * len(STAGES)}" in printed  # seconds of a road


def test_photographs_are_read_in_and_predicted(tmp_path):
    rows = {row.stage: row for row in memory.photographs(tmp_path, 12)}
    assert list(rows) == ["generate --workers 2", "predict --workers 1", "predict --workers 2"]
    assert all(row.images == 12 and row.anonymous > 0 for row in rows.values())
    assert rows["generate --workers 2"].written > 12 * 224 * 224 * 3
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 13
