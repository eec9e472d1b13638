"""The command line as a person and a program meet it."""

import configparser
import json
import os
import re
import subprocess

import pytest
from full_params import full_params
from imports import ROOT
from program import call, invoke, options, write_params
from ruamel.yaml import YAML

from raresight.pipeline import __version__, cli
from raresight.pipeline.stages.table import STAGES


def test_help_lists_the_commands_in_the_order_of_the_work():
    listed = invoke("--help").output.split("Begin:\n")[1].split("Examples:")[0].splitlines()
    names = [line.split()[0] for line in listed if re.match(r"  [a-z-]+  ", line)]
    assert names == [
        "init",
        "sync",
        "upgrade",
        "doctor",
        *STAGES,
        "schedule",
        "model",
        "find-lr",
        "diagnose",
        "compare",
        "plan",
        "predict",
        "explain",
        "export",
        "validate",
        "schema",
        "generators",
        "inspect",
        "scenarios",
        "use",
        "verify",
        "digits",
        "carla-record",
    ]


@pytest.mark.parametrize("name", cli.cli.commands)
def test_every_command_explains_itself(name):
    result = invoke(name, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()[2].strip()) > 20


def test_the_version_is_that_of_the_package():
    assert invoke("--version").output == f"raresight {__version__}\n"


def test_the_console_script_and_the_module_are_one_program():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert (
        "raresight = raresight.pipeline.cli:main"
        in setup["options.entry_points"]["console_scripts"]
    )
    assert call("--version").stdout == f"raresight {__version__}\n"


def test_a_stage_says_where_its_output_is_on_stderr_alone(project):
    done = call(*options(project), "generate", "--workers", 1)
    assert done.stdout == ""
    assert done.stderr.startswith(f"generate: wrote {project}/data/generated in ")
    assert done.stderr.count("\n") == 1


def test_verbose_lists_the_files_and_quiet_says_nothing(project):
    assert "part-00000.arrow" in call(*options(project), "-v", "generate").stderr
    assert call(*options(project), "-q", "generate").stderr == ""
    assert invoke("-q", "-v", "scenarios").exit_code == 2


def test_json_is_all_that_is_on_stdout(project):
    done = call(*options(project), "--json", "generate")
    result = json.loads(done.stdout)
    assert result["stage"] == "generate"
    assert result["outputs"] == [f"{project}/data/generated"]
    assert result["seconds"] > 0


@pytest.mark.parametrize(
    "arguments", [["validate"], ["generators"], ["scenarios"], ["inspect", "DATA"], ["verify"]]
)
def test_every_report_is_json_too(project, arguments):
    arguments = [str(project / "data/generated") if a == "DATA" else a for a in arguments]
    result = invoke(*options(project), "--json", *arguments)
    assert result.exit_code == 0, result.output
    json.loads(result.stdout)
    plain = invoke(*options(project), *arguments)
    assert plain.exit_code == 0
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(plain.stdout)


def test_validate_shows_what_will_run(project):
    text = invoke(*options(project), "validate").stdout
    assert "8 circle, 8 square from shapes" in text
    assert "train 70%, val 15%, test 15%" in text


def test_validate_doubts_what_train_would_doubt(project, tmp_path, caplog):
    text = (project / "params.yaml").read_text()
    assert "name: shuffled" in text
    params = tmp_path / "params.yaml"
    params.write_text(text.replace("name: shuffled", "name: balanced"))
    done = invoke("--params", params, "validate")
    assert done.exit_code == 0
    (doubt,) = caplog.messages
    assert doubt.startswith(f"{params}: train.sampler.name 'balanced' already evens out")
    caplog.clear()
    invoke(*options(project), "validate")
    assert not caplog.messages


def test_validate_names_what_reaches_copies_of_one_class_alone(tmp_path, caplog):
    document = full_params()
    gain = {"name": "RandomBrightnessContrast", "p": 0.5}
    document["augment"].update(copies={"mitotic": 8}, pixel=[gain])
    params = tmp_path / "params.yaml"
    YAML().dump(document, params)
    done = invoke("--json", "--params", params, "validate")
    (doubt,) = json.loads(done.stdout)["warnings"]
    assert caplog.messages == [f"{params}: {doubt}"]
    assert "'mitotic' is copied more often than the rest" in doubt
    assert "only copies go through augment.pixel[0] RandomBrightnessContrast" in doubt
    full = json.loads(invoke("--json", "--params", params, "validate", "--full").stdout)
    assert full["warnings"] == [doubt]
    assert json.loads(invoke("--json", "validate").stdout)["warnings"] == []


def test_validate_knows_the_classes_of_the_generators(project, tmp_path):
    params = write_params(tmp_path / "params.yaml", positive="circel")
    result = invoke("--params", params, "validate")
    assert result.exit_code == 2
    assert "generate.positive: no class 'circel'. Did you mean 'circle'?" in result.stderr


def test_inspect_draws_a_contact_sheet(project, tmp_path):
    result = invoke("inspect", project / "data/generated", "--sheet", tmp_path / "sheet.png")
    assert result.exit_code == 0
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert "circle" in result.stdout


def test_generators_name_their_classes_and_factors():
    listed = {entry["name"]: entry for entry in json.loads(invoke("--json", "generators").stdout)}
    assert set(listed["pathology"]["classes"]) == {"normal", "mitotic"}
    assert "blur" in listed["pathology"]["factors"]
    assert listed["folder"]["classes"] is None  # they are what is on the disk
    for word in ("pathology", "mitotic", "blur", "folder", "from its options"):
        assert word in invoke("generators").stdout


def test_verify_lists_what_differs_and_fails(project, tmp_path):
    subprocess.run(["cp", "-r", project / "data", tmp_path / "data"], check=True)
    assert invoke("--data", tmp_path / "data", "verify").exit_code == 0
    (tmp_path / "data/generated/dataset.json").write_bytes(b"x")
    for arguments in (["--data", tmp_path / "data", "verify"], ["verify", tmp_path / "data"]):
        result = invoke(*arguments)
        assert result.exit_code == 1
        assert "DIFFERS" in result.stdout
        assert "generated/dataset.json has 1 bytes" in result.stderr


def test_verify_has_to_find_something(tmp_path):
    assert invoke("verify", tmp_path).exit_code == 66


def test_quiet_validate_says_what_is_wrong_and_nothing_else(project, tmp_path):
    good = invoke("--quiet", "--params", project / "params.yaml", "validate")
    assert (good.exit_code, good.stdout, good.stderr) == (0, "", "")
    bad = invoke("--quiet", "--params", write_params(tmp_path / "p.yaml", seed=-1), "validate")
    assert bad.exit_code == 2
    assert "generate.seed" in bad.stderr


def test_the_real_digits_are_written_one_folder_a_class(tmp_path):
    result = invoke("digits", tmp_path / "digits")
    assert result.exit_code == 0, result.stderr
    assert (result.stdout, result.stderr) == ("", f"wrote 1,797 digits below {tmp_path}/digits\n")
    assert sorted(path.name for path in (tmp_path / "digits").iterdir()) == list("0123456789")
    assert len(list((tmp_path / "digits").rglob("*.png"))) == 1797


def test_an_evaluation_that_is_not_there_cannot_be_shown(tmp_path):
    result = invoke("--data", tmp_path, "evaluate", "--show")
    assert result.exit_code == 66
    assert str(tmp_path / "evaluation/results.json") in result.stderr


def test_colours_are_for_those_who_want_them():
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"}
    cyan = "\x1b[36m"
    assert cyan in call("scenarios", env=environment).stdout
    assert cyan not in call("scenarios", env={**environment, "NO_COLOR": "1"}).stdout
