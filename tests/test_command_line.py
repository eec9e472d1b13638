"""The command line by its conventions: where options and projects are found, what is completed."""

import io
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from full_params import full_params
from imports import ROOT
from packaging.requirements import Requirement
from program import call, invoke, options, write_params
from rich.console import Console

from raresight.pipeline import cli
from raresight.pipeline.cli.command import Command
from raresight.pipeline.runtime import installation
from raresight.pipeline.runtime.installation import as_installed, install_line
from raresight.pipeline.terminal.tables import titled_table

QUIET = {**os.environ, "RARESIGHT_QUIET": "1"}


def leaves(group=cli.cli, path=()):
    for name, one in group.commands.items():
        yield from leaves(one, (*path, name)) if isinstance(one, click.Group) else [(path, one)]


@pytest.mark.parametrize(
    ("path", "command"), list(leaves()), ids=lambda part: getattr(part, "name", "")
)
def test_every_command_has_an_example_that_it_takes(path, command):
    if not isinstance(command, Command):
        assert command.name == "help"
        return
    words = command.example.split(">")[0].split()
    assert words[: len(path) + 1] == [*path, command.name]
    with click.Context(cli.cli, info_name="raresight") as parent:
        command.make_context(command.name, words[len(path) + 1 :], parent=parent)
    text = invoke(*path, command.name, "--help").output
    assert " ".join(f"Example: raresight {command.example}".split()) in " ".join(text.split())
    assert "..." not in text.split("Example:")[0].replace("]...", "").replace("T...", "")


def test_help_cuts_no_description_and_help_is_a_command():
    assert "..." not in invoke("--help").output.replace("[ARGS]...", "")
    assert invoke("help").output == invoke("--help").output
    assert invoke("help", "plan").output == invoke("plan", "--help").output
    assert invoke("help", "export", "model").output == invoke("export", "model", "--help").output


def test_global_options_stand_before_the_command_or_after_it(project):
    before = invoke(*options(project), "--json", "validate")
    after = invoke("validate", *options(project), "--json")
    assert before.exit_code == after.exit_code == 0
    assert json.loads(before.stdout) == json.loads(after.stdout)
    # The later one counts.
    mixed = invoke("--params", "elsewhere.yaml", "validate", *options(project), "--json")
    assert mixed.stdout == after.stdout


def test_an_environment_gives_options_and_the_line_overrules_it(project, tmp_path):
    environment = {**QUIET, "RARESIGHT_PARAMS": f"{project}/params.yaml", "RARESIGHT_JSON": "1"}
    done = call("validate", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(
        invoke("validate", *options(project), "--json").stdout
    )
    other = call("validate", "--params", tmp_path / "none.yaml", env=environment)
    assert other.returncode == 66
    assert "none.yaml" in other.stderr
    none = invoke(*options(project), "generate", env={"RARESIGHT_WORKERS": "0"})
    assert none.exit_code == 2
    assert "'--workers': 0 is not in the range" in none.stderr


@pytest.fixture
def nested(tmp_path):
    """A project, and a folder two levels below it."""
    write_params(tmp_path / "params.yaml")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "notes/deep").mkdir(parents=True)
    return tmp_path


def run_in(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "raresight", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_a_project_is_found_from_a_folder_below_it(nested):
    deep = nested / "notes/deep"
    done = run_in(deep, "generate", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert f"in the project {nested.resolve()}" in done.stderr
    assert (nested / "data/generated/dataset.json").is_file()
    assert not list(deep.iterdir())
    # Paths that are given are those seen from there.
    drawn = run_in(deep, "schedule", "--plot", "rate.png", "--steps-per-epoch", 3)
    assert drawn.returncode == 0, drawn.stderr
    assert (deep / "rate.png").is_file()
    shown = run_in(deep, "inspect", "../../data/generated", "--json")
    assert json.loads(shown.stdout)["rows"] == 16
    mine = run_in(deep, "generate", "--params", "params.yaml")
    assert mine.returncode == 66  # what is named is not looked for elsewhere


def completed(words, incomplete):
    completion = ShellComplete(cli.cli, {}, "raresight", "_RARESIGHT_COMPLETE")
    return [item.value for item in completion.get_completions(words, incomplete)]


def test_a_shell_completes_what_only_the_project_knows(project, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert set(completed(["use"], "")) == {path.stem for path in Path("params").glob("*.yaml")}
    assert "conveyor" in completed(["init", "there", "--scenario"], "con")
    assert set(completed(["compare"], "H")) == {"HEAD", "HEAD~1"}
    assert completed(["compare", "HEAD"], "work") == ["workspace"]
    assert completed(["compare", "--fail-if-worse"], "average_p") == ["average_precision"]
    there = [*map(str, options(project)), "evaluate", "--positive"]
    assert completed(there, "") == ["circle", "square"]
    assert "find-lr" in completed([], "f")
    monkeypatch.chdir(tmp_path)  # no project, no repository
    assert completed(["use"], "") == completed(["compare"], "") == []


def test_revisions_are_branches_tags_and_experiments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in (
        "init -q -b main",
        "-c user.name=a -c user.email=b commit -q --allow-empty -m one",
        "tag v1.0",
        "update-ref refs/exps/ab/cdef/snowy-yurt HEAD",
    ):
        subprocess.run(["git", *line.split()], check=True)
    assert completed(["compare"], "") == [
        "workspace",
        "HEAD",
        "HEAD~1",
        "snowy-yurt",
        "main",
        "v1.0",
    ]


def judged(table: bytes, *more):
    return subprocess.run(
        [sys.executable, "-m", "raresight", "evaluate", "--predictions", "-", *more],
        cwd=ROOT,
        input=table,
        capture_output=True,
    )


def test_scores_are_judged_from_stdin():
    table = "id,label,score\n" + "".join(
        f"{k},{'ab'[k % 7 == 0]},{k % 10 / 10}\n" for k in range(90)
    )
    asked = ("--positive", "b", "--threshold", "0.5", "--json")
    done = judged(table.encode(), *asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # k % 7 == 0 is positive, k % 10 >= 5 is predicted positive
    hits = [k % 10 >= 5 for k in range(90) if k % 7 == 0]
    assert found["test"]["recall"] == pytest.approx(sum(hits) / len(hits))
    bad = judged(b"id,label\n1,a\n", *asked)
    assert bad.returncode == 65
    assert bad.stderr.startswith(b"error: stdin")


def test_square_brackets_from_outside_are_text():
    labels = ("[/red]well", "[bold]rare")
    rows = [f"[i]{k},{labels[k % 7 == 0]},{k % 10 / 10}" for k in range(90)]
    table = "\n".join(["id,label,score", *rows]).encode()
    done = judged(table, "--positive", labels[1], "--threshold", "0.5")
    assert done.returncode == 0, done.stderr
    told = b" ".join(done.stdout.split())
    assert b"answering '[/red]well' has" in told
    assert b"'[bold]rare'" in told


def test_every_table_of_the_terminal_is_one_that_prints_brackets():
    for path in (ROOT / "pipeline/terminal").glob("*.py"):
        if path.stem != "tables":
            assert "rich.table" not in path.read_text(), path
    table = titled_table("of [b]class[/b]")
    table.add_column("[red]name", no_wrap=True)
    table.add_row("[/red]well")
    console = Console(file=io.StringIO(), width=40)
    console.print(table)
    shown = "".join(console.file.getvalue().split())
    assert shown.startswith("of[b]class[/b][red]name")
    assert shown.endswith("[/red]well")


def test_a_message_names_the_line_that_works_for_how_it_was_installed(tmp_path, monkeypatch):
    told = "conveyor needs mujoco: pip install 'raresight[simulator]'"
    monkeypatch.chdir(ROOT)
    assert as_installed(told) == "conveyor needs mujoco: pip install -e '.[simulator]'"
    monkeypatch.chdir(tmp_path)
    assert install_line("ray,timm") == f"pip install -e '{ROOT}[ray,timm]'"
    assert as_installed("pip install 'others[dots]'") == "pip install 'others[dots]'"

    wheel, record = tmp_path / "raresight-1-py3-none-any.whl", {}
    wheel.touch()
    monkeypatch.setattr(installation, "_ROOT", tmp_path)  # no setup.cfg there: an installed copy
    found = types.SimpleNamespace(read_text=lambda name: json.dumps(record) if record else None)
    monkeypatch.setattr(installation, "_distribution", lambda name: found)
    assert install_line("ray") == "pip install 'raresight[ray]'"
    record["url"] = wheel.as_uri()
    assert install_line("ray") == f"pip install 'raresight[ray] @ {wheel.as_uri()}'"
    assert Requirement(install_line("ray").split("'")[1]).extras == {"ray"}
    wheel.unlink()
    assert install_line("ray") == "pip install 'raresight[ray]'"
    record.update(url="https://host/r.git", vcs_info={"vcs": "git", "commit_id": "ab12"})
    assert install_line("ray") == "pip install 'raresight[ray] @ git+https://host/r.git@ab12'"


def test_what_will_run_is_said_in_words_for_every_section():
    """Not by the keys of a section, and without Python's word for nothing."""
    said = invoke("--params", ROOT / "params.yaml", "validate").stdout
    assert "None" not in said
    assert "seed 1," not in said
    assert all(f"\n{name} " in said for name in full_params())
