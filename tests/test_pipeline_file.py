"""dvc.yaml tells the truth: a stage depends on exactly the code it imports and the params it
loads.
"""

import importlib
from pathlib import Path

import pytest
from imports import ROOT, closure, modules
from ruamel.yaml import YAML

from pipeline.core.params import Section

FILE = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())
STAGES = FILE["stages"]


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_are_the_import_closure(stage):
    known = {path.relative_to(ROOT) for path in modules().values()}
    listed = set()
    for dependency in map(Path, STAGES[stage]["deps"]):
        if dependency.parts[0] != "data":
            inside = {path for path in known if path.is_relative_to(dependency)}
            assert inside, f"{dependency} is no code of this project"
            listed |= inside
    assert listed == closure(f"pipeline.stages.{stage}")


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_those_the_stage_loads(stage, monkeypatch, tmp_path):
    module = importlib.import_module(f"pipeline.stages.{stage}")
    loaded = []

    class Loaded(Exception):
        pass

    def spy(path: Path, name: str, model: type[Section]):
        loaded.append(name)
        raise Loaded

    monkeypatch.setattr(module, "load_section", spy)
    with pytest.raises(Loaded):
        module.run(ROOT / "params.yaml", tmp_path)
    shown = getattr(module, "SHOWN", ())  # sections that a stage shows as they are written
    assert STAGES[stage]["params"] == [*shown, *loaded]


def test_inputs_are_outputs_of_earlier_stages():
    written = {"data/raw"}
    for stage in STAGES.values():
        assert {dep for dep in stage["deps"] if dep.startswith("data/")} <= written
        written |= {
            *stage["outs"],
            *(name for metric in stage.get("metrics", []) for name in metric),
        }


def test_every_stage_says_what_it_does_and_metrics_stay_in_git():
    for stage in STAGES.values():
        assert stage["desc"].endswith(".")
        for metric in stage.get("metrics", []):
            assert [options["cache"] for options in metric.values()] == [False]


def test_default_params_are_the_pathology_scenario():
    assert (ROOT / "params.yaml").read_bytes() == (ROOT / "params/pathology.yaml").read_bytes()


def test_editing_the_page_reruns_the_report_alone():
    users = [name for name, stage in STAGES.items() if "pipeline/report" in stage["deps"]]
    assert users == ["report"]
    closures = {name: closure(f"pipeline.stages.{name}") for name in STAGES}
    rooms = {name: {path.parts[1] for path in found} for name, found in closures.items()}
    assert [name for name, found in rooms.items() if "report" in found] == ["report"]
