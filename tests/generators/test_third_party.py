"""The generator that CONTRIBUTING.md shows, taken from there and run as another package's."""

import json
import re
import sys
from pathlib import Path

import pytest
from imports import ROOT

from raresight.pipeline.commands import generators
from raresight.pipeline.dataset import Dataset
from raresight.pipeline.stages import generate


@pytest.fixture
def dots(tmp_path: Path, monkeypatch):
    _, page = (ROOT / "CONTRIBUTING.md").read_text().split("## A generator of your own")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (points,) = re.findall(r"```ini\n(.*?)```", page, flags=re.DOTALL)
    group, line = points.replace("mypackage.dots", "dots_of_contributing").split("=", 1)
    info = tmp_path / "mypackage-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mypackage\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group.strip()}]\n{line.strip()}\n")
    (tmp_path / "dots_of_contributing.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("dots_of_contributing", None)


def test_the_documented_generator_draws_a_dataset_in_two_processes(dots, tmp_path):
    source = {"generator": "dots", "counts": {"one": 4, "two": 4}}
    source["options"] = {"radius": {"log_uniform": [2, 8]}}
    section = {"seed": 1, "image_size": 32, "positive": "two", "sources": [source]}
    params = tmp_path / "params.yaml"
    params.write_text(json.dumps({"generate": section}))
    made = Dataset(generate.run(params, tmp_path / "data", workers=2))
    assert made.labels.tolist() == ["one"] * 4 + ["two"] * 4
    assert [len(made.boxes[row]) for row in range(8)] == [1] * 4 + [2] * 4
    assert made.factors["radius"].between(2, 8).all()
    assert all(mask.any() for mask in made.masks)


def test_it_is_listed_beside_those_built_in(dots):
    (entry,) = [entry for entry in generators.run() if entry.name == "dots"]
    assert entry.summary == "one dot, or two"
    assert entry.prevalence == {"one": 0.95, "two": 0.05}
