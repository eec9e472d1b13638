"""Every scenario's measured margin over the baselines that need no network."""

import json

import pytest
from imports import ROOT
from ruamel.yaml import YAML

from benchmarks import scenarios
from benchmarks.scenarios import MARGIN, NAMES, RECORD, Reached, made_with

FOUND = json.loads(RECORD.read_text())


def test_every_scenario_with_something_to_learn_was_measured():
    shipped = {path.stem for path in (ROOT / "params").glob("*.yaml")}
    assert set(NAMES) <= shipped
    assert sorted(FOUND) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_of_the_scenario_as_it_is_now(name):
    assert FOUND[name]["made_with"] == made_with(name), (
        f"params/{name}.yaml or its drawing is another one than the figures are of: "
        f"measure it again (python -m benchmarks.scenarios {name} --write) and state what it found"
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_network_is_above_both_baselines_by_the_margin(name):
    found = {key: value for key, value in FOUND[name].items() if key != "made_with"}
    reached = Reached(**found)
    assert len(reached.by_seed) == 3
    assert min(reached.by_seed) - max(reached.baselines.values()) > MARGIN
    assert reached.margin > MARGIN


@pytest.mark.parametrize("name", NAMES)
def test_its_file_states_them(name):
    reached = FOUND[name]
    mean = sum(reached["by_seed"]) / len(reached["by_seed"])
    lines = (ROOT / f"params/{name}.yaml").read_text().splitlines()
    comment = " ".join(line for line in lines if line.startswith("#"))
    quality = reached["quality"].replace("_", " ")
    for stated in (
        f"{quality} {mean:.2f} ±",
        f"texture baseline {reached['baselines']['texture']:.2f}",
        f"shortcut baseline {reached['baselines']['shortcut']:.2f}",
    ):
        assert stated in comment


def test_what_a_scenario_rests_on_is_its_params_and_its_drawing(tmp_path, monkeypatch):
    (tmp_path / "params").mkdir()
    file = tmp_path / "params/shapes.yaml"
    shipped = (ROOT / "params/shapes.yaml").read_text()
    file.write_text("# another comment\n" + shipped)
    monkeypatch.setattr(scenarios, "ROOT", tmp_path)
    assert made_with("shapes") == FOUND["shapes"]["made_with"]
    document = YAML(typ="safe").load(shipped)
    document["train"]["epochs"] += 1
    YAML(typ="safe").dump(document, file)
    assert made_with("shapes") != FOUND["shapes"]["made_with"]
