"""dvc.yaml tells the truth: a stage depends on exactly the code it imports and the params it
loads.
"""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from imports import ROOT, closure, modules
from ruamel.yaml import YAML

from raresight.pipeline.cli import cli
from raresight.pipeline.core.params import Section
from raresight.pipeline.stages import table
from raresight.pipeline.training.job import CODE

FILE = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())
STAGES = FILE["stages"]
# Named as a whole, though a stage may not load each file: few entries, and little to run again.
WHOLE = ("pipeline/core", "pipeline/evaluation", "pipeline/report", "pipeline/wording")


def listed(stage: str) -> tuple[set[Path], set[Path]]:
    """The files of code that a stage's deps name one by one, and those they name by folder."""
    known = known_files()
    named = {Path(dep) for dep in STAGES[stage]["deps"] if not dep.startswith(("data/", "params"))}
    folders = {path for path in named if path not in known}
    inside = {path for path in known for folder in folders if path.is_relative_to(folder)}
    for folder in folders:
        assert any(path.is_relative_to(folder) for path in known), f"{folder} holds no code"
    return named - folders, inside


def known_files() -> set[Path]:
    return {path.relative_to(ROOT) for path in modules().values()}


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_are_the_import_closure(stage):
    files, inside = listed(stage)
    needed = closure(f"raresight.pipeline.stages.{stage}")
    assert needed <= files | inside
    assert files <= needed


@pytest.mark.parametrize("stage", STAGES)
def test_a_folder_is_named_where_this_stage_or_an_earlier_one_loads_it_all(stage):
    stages = list(STAGES)
    if stage == "check":  # run again it writes the same, so that no other stage runs again
        return
    earlier = stages[1 : stages.index(stage) + 1]
    loaded = set().union(*(closure(f"raresight.pipeline.stages.{name}") for name in earlier))
    loaded |= {path for path in known_files() if any(map(path.is_relative_to, WHOLE))}
    _, inside = listed(stage)
    assert {path for path in inside if path.name != "__init__.py"} <= loaded


def test_a_change_to_what_writes_the_data_trains_nothing_again():
    files, inside = listed("train")
    assert Path("pipeline/dataset/reader.py") in files
    assert not {Path("pipeline/dataset/writer.py"), Path("pipeline/stages/generate.py")} & (
        files | inside
    )


def test_a_kept_training_is_of_the_code_that_train_loads_and_of_no_message():
    named = {Path("pipeline", name) for name in CODE}
    kept = {path for path in known_files() if any(map(path.is_relative_to, named))}
    assert closure("raresight.pipeline.stages.train") - {Path("pipeline/__init__.py")} <= kept
    assert not {path.parts[1] for path in kept} & {"runtime", "wording", "terminal", "cli"}


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_those_the_stage_loads(stage, monkeypatch, tmp_path):
    module = importlib.import_module(f"raresight.pipeline.stages.{stage}")
    if table.STAGES[stage].section is None:
        assert "params.yaml" in STAGES[stage]["deps"]
        return
    loaded = []

    class Loaded(Exception):
        pass

    def spy(path: Path, name: str, model: type[Section]):
        loaded.append(name)
        if len(loaded) == 1 + len(table.STAGES[stage].reads):
            raise Loaded
        return model()

    monkeypatch.setattr(module, "load_section", spy)
    with pytest.raises(Loaded):
        module.run(ROOT / "params.yaml", tmp_path)
    assert STAGES[stage]["params"] == loaded
    # A stage that shows other sections as they are written depends on the file itself.
    assert ("params.yaml" in STAGES[stage]["deps"]) == hasattr(module, "SHOWN")


def test_inputs_are_outputs_of_earlier_stages():
    written: set[str] = set()
    for stage in STAGES.values():
        assert {dep for dep in stage["deps"] if dep.startswith("data/")} <= written
        # A file that Git keeps is an entry of its own, {path: options}; iterating gives its path.
        for entry in (*stage["outs"], *stage.get("metrics", [])):
            written |= {entry} if isinstance(entry, str) else {*entry}


def test_every_stage_waits_for_the_check():
    first, *others = STAGES
    assert all(f"data/{table.STAGES[first].outputs[0]}" in STAGES[name]["deps"] for name in others)


def test_the_file_and_the_table_name_the_same_stages_in_the_same_order():
    assert list(STAGES) == list(table.STAGES)


def kept_by_git(paths):
    return [{f"data/{path}": {"cache": False}} for path in paths]


@pytest.mark.parametrize("name", table.STAGES)
def test_a_stage_is_in_the_file_what_it_is_in_the_table(name):
    stage, written = table.STAGES[name], STAGES[name]
    assert written["desc"] == stage.description
    assert written["cmd"] == f"python -m raresight {name}"
    assert written.get("params", []) == ([name, *stage.reads] if stage.section else [])
    by_dvc = [f"data/{path}" for path in stage.outputs]
    assert written["outs"] == [*by_dvc, *kept_by_git(stage.results)]
    assert written.get("metrics", []) == kept_by_git(stage.metrics)


@pytest.mark.parametrize("name", table.STAGES)
def test_a_stage_of_the_table_is_a_module_that_takes_its_options(name):
    module = importlib.import_module(f"raresight.pipeline.stages.{name}")
    takes = inspect.signature(module.run).parameters.values()
    by_name = [one.name for one in takes if one.kind is inspect.Parameter.KEYWORD_ONLY]
    assert tuple(by_name) == table.STAGES[name].options
    assert {option.name for option in cli.commands[name].params} >= {*by_name}


def test_the_table_loads_no_library():
    done = subprocess.run(
        [sys.executable, "-c", f"import {table.__name__}, sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"numpy", "pydantic", "pyarrow", "torch", "rich"} & set(done.stdout.split())


@pytest.mark.parametrize("stage", STAGES)
def test_git_ignores_what_dvc_keeps_and_keeps_the_metrics(stage):
    for path, ignored in [
        *((f"data/{path}/", True) for path in table.STAGES[stage].outputs),
        *((f"data/{path}", False) for path in table.STAGES[stage].results),
        *((f"data/{path}", False) for path in table.STAGES[stage].metrics),
    ]:
        asked = ["git", "check-ignore", "-q", "--no-index", path]
        assert (subprocess.run(asked, cwd=ROOT, check=False).returncode == 0) is ignored, path


def test_default_params_are_the_pathology_scenario():
    assert (ROOT / "params.yaml").read_bytes() == (ROOT / "params/pathology.yaml").read_bytes()


def test_editing_the_page_reruns_the_report_alone():
    users = [name for name, stage in STAGES.items() if "pipeline/report" in stage["deps"]]
    assert users == ["report"]
    closures = {name: closure(f"raresight.pipeline.stages.{name}") for name in STAGES}
    page = {path for path in known_files() if path.is_relative_to("pipeline/report")}
    page.remove(Path("pipeline/report/params.py"))  # check reads the params of every stage
    assert [name for name, found in closures.items() if page & found] == ["report"]
