"""The command line as a person, a shell and a program meet it."""

import configparser
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from imports import ROOT
from ruamel.yaml import YAML

from pipeline import __version__, cli
from pipeline.core.errors import DivergedError
from pipeline.core.files import lock, sha256
from pipeline.stages import verify

COMMAND = [sys.executable, "-m", "pipeline"]
PATIENCE = 60


def call(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE, **options,
    )  # fmt: skip


def invoke(*arguments):
    return CliRunner().invoke(cli.cli, [*map(str, arguments)], prog_name="raresight")


def write_params(path: Path, **generate) -> Path:
    """The default params with another ``generate`` source: a few small, quick images."""
    yaml = YAML()
    document = yaml.load(ROOT / "params.yaml")
    source = {
        "generator": "shapes",
        "role": "any",
        "options": {"classes": ["circle", "square"]},
        "counts": {"circle": 8, "square": 8},
    }
    document["generate"] = {"seed": 1, "image_size": 8, "positive": None, "sources": [source]}
    document["generate"].update(generate)
    document["augment"]["copies"] = {"circle": 1}
    yaml.dump(document, path)
    return path


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A params file and a data folder with one output of ``generate``."""
    folder = tmp_path_factory.mktemp("project")
    params = write_params(folder / "params.yaml")
    done = call("--params", params, "--data", folder / "data", "generate")
    assert done.returncode == 0, done.stderr
    return folder


def options(project):
    return "--params", project / "params.yaml", "--data", project / "data"


def digests(folder):
    return {path: sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def untouched(project):
    """Fails when the test changed an output, or left a half-made one."""
    before = digests(project / "data/generated")
    yield project
    assert digests(project / "data/generated") == before
    assert not list(project.rglob(".*.new"))


def test_help_lists_the_commands_in_the_order_of_the_work():
    listed = invoke("--help").output.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == [
        *("generate", "augment", "split", "train", "evaluate"),
        *("validate", "generators", "inspect", "scenarios", "use", "verify"),
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
    assert "raresight = pipeline.cli:main" in setup["options.entry_points"]["console_scripts"]
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
    (tmp_path / "data/generated/sheet.png").write_bytes(b"x")
    for arguments in (["--data", tmp_path / "data", "verify"], ["verify", tmp_path / "data"]):
        result = invoke(*arguments)
        assert result.exit_code == 1
        assert "DIFFERS" in result.stdout
        assert "generated/sheet.png has 1 bytes" in result.stderr


def test_verify_has_to_find_something(tmp_path):
    assert invoke("verify", tmp_path).exit_code == 66


def test_an_evaluation_that_is_not_there_cannot_be_shown(tmp_path):
    result = invoke("--data", tmp_path, "evaluate", "--show")
    assert result.exit_code == 66
    assert str(tmp_path / "evaluation/metrics.json") in result.stderr


@pytest.fixture
def failing(monkeypatch):
    """Makes the `verify` command fail in a chosen way."""

    def fail(error):
        def run(folder):
            raise error

        monkeypatch.setattr(verify, "run", run)

    return fail


@pytest.mark.parametrize(
    ("error", "code", "last"),
    [
        (DivergedError("the loss is 3e9.\nUse a lower rate."), 76, "Use a lower rate."),
        (OSError(errno.ENOSPC, "No space left on device", "d/x"), 74, "earlier runs"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (SystemExit(143), 143, "SIGTERM"),
        (ZeroDivisionError("division by zero"), 1, "--debug"),
    ],
)
def test_an_error_is_the_last_text_on_stderr_and_an_exit_code(failing, error, code, last):
    failing(error)
    result = invoke("verify")
    assert result.exit_code == code
    assert result.stderr.startswith("error: ")
    assert last in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback_before_the_message(failing):
    failing(DivergedError("the loss is 3e9."))
    text = invoke("--debug", "verify").stderr
    assert text.startswith("Traceback")
    assert text.endswith("error: the loss is 3e9.\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trian"], "train"),
        (["generate", "--worker", "1"], "--workers"),
        (["generate", "--workers", "0"], "x>=1"),
        (["generate", "--json"], "'--json' is a global option: write it before the command."),
        (["inspect"], "DIR"),
    ],
)
def test_a_wrong_call_is_usage(arguments, expected):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert expected in result.stderr.splitlines()[-1]


def test_a_reader_that_stops_reading_is_no_error():
    with subprocess.Popen(
        [*COMMAND, "--json", "generators"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()  # before anything can be written
        assert process.stderr.read() == b""


def test_colours_are_for_those_who_want_them():
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"}
    cyan = "\x1b[36m"
    assert cyan in call("scenarios", env=environment).stdout
    assert cyan not in call("scenarios", env={**environment, "NO_COLOR": "1"}).stdout


def test_bad_params_leave_earlier_outputs_alone(untouched, tmp_path):
    bad = write_params(tmp_path / "params.yaml", image_size=0)
    done = call("--params", bad, "--data", untouched / "data", "generate")
    assert done.returncode == 2
    assert f"{bad}: generate.image_size: " in done.stderr


def test_a_disk_that_takes_no_more_is_74(untouched, tmp_path):
    more = write_params(tmp_path / "params.yaml", image_size=64)

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = call("--params", more, "--data", untouched / "data", "generate", preexec_fn=full)
    assert done.returncode == 74, done.stderr
    assert done.stderr.startswith("error: ")


def test_a_data_folder_that_cannot_be_one_is_74(project, tmp_path):
    (tmp_path / "file").write_text("")
    data = tmp_path / "file/data"
    done = call("--params", project / "params.yaml", "--data", data, "generate")
    assert done.returncode == 74
    assert "file" in done.stderr


def test_a_second_writer_is_75(untouched):
    with lock(untouched / "data/.generated.lock"):
        done = call(*options(untouched), "generate")
    assert done.returncode == 75
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_an_interrupted_stage_cleans_up(untouched, tmp_path, number, code):
    counts = {"circle": 200_000, "square": 8}
    source = {"generator": "shapes", "role": "any", "counts": counts}
    endless = write_params(tmp_path / "params.yaml", image_size=64, sources=[source])
    process = subprocess.Popen(
        [*COMMAND, "--params", endless, "--data", untouched / "data", "generate", "--workers", "1"],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    half_made, deadline = untouched / "data/.generated.new", time.monotonic() + PATIENCE
    while not half_made.is_dir() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, text = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert text.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in text
