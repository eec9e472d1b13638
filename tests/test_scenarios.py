"""Scenarios: named params files that take the place of params.yaml, and never edits with it."""

import json
import os
import re
import subprocess

import jsonschema
import pytest
from click.testing import CliRunner
from dvc.exceptions import InvalidArgumentError
from dvc.utils.hydra import apply_overrides
from imports import ROOT
from ruamel.yaml import YAML

from raresight.pipeline.cli import cli
from raresight.pipeline.commands import schema, validate
from raresight.pipeline.runtime.errors import ParamsError
from raresight.pipeline.stages.check import doubts
from raresight.pipeline.stages.table import OPTIONAL_SECTIONS, section_models

SCENARIOS = sorted(path.stem for path in (ROOT / "params").glob("*.yaml"))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A Git project with two scenarios, the first in use and everything committed."""
    (tmp_path / "params").mkdir()
    (tmp_path / "params/cells.yaml").write_text("# Cells, one in a hundred dividing.\na: 1\n")
    (tmp_path / "params/digits.yaml").write_text("a: 2  # first\n# Digits.\n")
    (tmp_path / "params.yaml").write_bytes((tmp_path / "params/cells.yaml").read_bytes())
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    commit()
    return tmp_path


def git(*arguments):
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def commit():
    git("add", "-A")
    git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "x")


def invoke(*arguments):
    return CliRunner().invoke(cli, arguments)


def in_use():
    listed = json.loads(invoke("--json", "scenarios").stdout)
    return [scenario["name"] for scenario in listed if scenario["in_use"]]


def test_each_is_listed_with_its_first_comment_line(project):
    listed = json.loads(invoke("--json", "scenarios").stdout)
    assert [(one["name"], one["summary"], one["in_use"]) for one in listed] == [
        ("cells", "Cells, one in a hundred dividing.", True),
        ("digits", "Digits.", False),
    ]
    table = invoke("scenarios").stdout
    (marked,) = [line for line in table.splitlines() if "-> " in line]
    assert "cells" in marked
    assert "Digits." in table


def test_use_makes_it_the_params_file(project):
    result = invoke("use", "digits")
    assert result.exit_code == 0
    assert "digits" in result.stderr
    assert (project / "params.yaml").read_text() == "a: 2  # first\n# Digits.\n"
    assert in_use() == ["digits"]
    assert invoke("use", "cells").exit_code == 0  # and back: nothing was edited
    assert in_use() == ["cells"]


def test_edits_that_are_nowhere_else_are_never_lost(project):
    (project / "params.yaml").write_text("a: 3\n")
    result = invoke("use", "digits")
    assert result.exit_code == 77
    assert "git commit params.yaml" in result.stderr
    assert "cp params.yaml params/NAME.yaml" in result.stderr
    assert (project / "params.yaml").read_text() == "a: 3\n"


def test_committed_edits_may_go(project):
    (project / "params.yaml").write_text("a: 3\n")
    commit()
    assert invoke("use", "digits").exit_code == 0


def test_edits_kept_as_a_scenario_may_go(project):
    (project / "params.yaml").write_text("a: 3\n")
    (project / "params/mine.yaml").write_text("a: 3\n")
    assert in_use() == ["mine"]
    assert invoke("use", "digits").exit_code == 0


def test_without_git_only_known_params_may_go(project):
    subprocess.run(["rm", "-r", ".git"], check=True)
    assert invoke("use", "digits").exit_code == 0
    (project / "params.yaml").write_text("a: 3\n")
    assert invoke("use", "cells").exit_code == 77


def test_a_missing_params_file_is_simply_made(project):
    os.remove("params.yaml")
    assert invoke("use", "digits").exit_code == 0
    assert in_use() == ["digits"]


def test_an_unknown_name_lists_the_known_ones_nearest_first(project):
    result = invoke("use", "digit")
    assert result.exit_code == 2
    assert "Did you mean 'digits'? Known: digits, cells." in result.stderr


def test_a_folder_without_scenarios_says_so(tmp_path):
    result = invoke("--params", str(tmp_path / "params.yaml"), "use", "digits")
    assert result.exit_code == 66
    assert invoke("--params", str(tmp_path / "params.yaml"), "scenarios").exit_code == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_shipped_scenario_is_valid_and_introduced(name):
    path = ROOT / f"params/{name}.yaml"
    sections = validate.run(path)
    assert set(sections) == {*section_models(), *OPTIONAL_SECTIONS}
    assert not list(doubts(sections))  # no recipe tells the class, among others
    assert len(path.read_text().splitlines()[0]) > 20


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_shipped_scenario_fits_the_schema_that_editors_get(name):
    document = YAML(typ="safe", pure=True).load(ROOT / f"params/{name}.yaml")
    jsonschema.validate(document, schema.run())


@pytest.mark.parametrize(
    "train",
    [
        {"epoch": 3},
        {"epochs": "3"},
        {"loss": {"gamma": 2}},  # a key of focal, and the loss is not called so
        {"loss": {"name": "focal", "tau": 1}},
        {"model": {"name": "small_cnn", "stem": "small"}},
        {"schedule": {"warmup": {"shape": "linear"}}},
    ],
)
def test_the_schema_refuses_what_validate_refuses(train, tmp_path):
    document = YAML(typ="safe", pure=True).load(ROOT / "params.yaml") | {"train": train}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema.run())
    YAML().dump(document, tmp_path / "params.yaml")
    with pytest.raises(ParamsError):
        validate.run(tmp_path / "params.yaml")


def test_the_schema_knows_a_part_that_must_be_written():
    document = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
    for rule, fits in (({"name": "recall", "target": 0.9}, True), ({"name": "recall"}, False)):
        judged = jsonschema.Draft202012Validator(schema.run())
        assert judged.is_valid(document | {"evaluate": {"threshold": rule}}) is fits


def test_the_command_prints_that_schema():
    assert json.loads(invoke("schema").stdout) == schema.run()


# Their pairs stand on one line each, and two sources share their options by an alias: DVC writes
# lists item by item, and no aliases.
COMPACT = {"digits-sim2real", "noisy"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_experiment_changes_one_line_of_a_scenario(name, tmp_path):
    text = (ROOT / f"params/{name}.yaml").read_text()
    file = tmp_path / "params.yaml"
    file.write_text(text)
    apply_overrides(file, ["train.batch_augment.shift=7"])  # what `dvc exp run -S` does
    changed = file.read_text()
    expected = re.sub(r"shift: \d+", "shift: 7", text)
    if name in COMPACT:
        comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
        assert [line for line in changed.splitlines() if line in comments] == comments
        (tmp_path / "expected.yaml").write_text(expected)
        assert validate.run(file) == validate.run(tmp_path / "expected.yaml")
    else:
        assert changed == expected


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_key_that_is_not_written_is_added_with_a_plus(name, tmp_path):
    text = (ROOT / f"params/{name}.yaml").read_text()
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(InvalidArgumentError):
        apply_overrides(file, ["train.gradient_clip=2.0"])
    assert file.read_text() == text
    apply_overrides(file, ["+train.gradient_clip=2.0"])
    assert validate.run(file)["train"].gradient_clip == 2.0
    if name not in COMPACT:
        lines = file.read_text().splitlines()
        lines.remove("  gradient_clip: 2.0")
        assert lines == text.splitlines()


def leaves(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


def test_the_params_file_holds_what_people_change():
    document = YAML(typ="safe", pure=True).load(ROOT / "params.yaml")
    assert sum(1 for _ in leaves(document)) <= 45


def test_resolved_params_are_params_that_mean_the_same(tmp_path):
    sections = validate.run(ROOT / "params.yaml")
    text = invoke("--params", str(ROOT / "params.yaml"), "validate", "--full").stdout
    (tmp_path / "params.yaml").write_text(text)
    assert validate.run(tmp_path / "params.yaml") == sections
    assert "max_per_class: 3500 # changed\n" in text
    assert "batch_size: 128\n" in text
    assert "  threads: null\n" in text


def test_programs_get_every_value_and_the_keys_of_what_was_changed(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text(
        """
generate: {sources: [{generator: shapes, count: 9, options: {classes: [circle, square]}}]}
augment: {pixel: [{name: GaussNoise, std_range: [0.1, 0.2]}]}
split: {}
clean: {}
enlarge: {}
train: {epochs: 3, batch_size: 128, loss: {name: focal}}
evaluate: {}
report: {}
"""
    )
    found = json.loads(invoke("--json", "--params", str(file), "validate", "--full").stdout)
    assert found["params"]["train"]["loss"] == {
        "name": "focal",
        "gamma": 2.0,
        "class_weights": None,
    }
    assert found["params"]["evaluate"]["perturb"][0]["blur_limit"] == [3, 3]
    assert set(found["changed"]) == {
        "generate.sources[0].generator",
        "generate.sources[0].count",
        "generate.sources[0].options.classes",
        "augment.pixel[0].name",
        "augment.pixel[0].std_range",
        "train.epochs",
        "train.loss.name",
    }
