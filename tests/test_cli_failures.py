"""How commands fail: one message, last on stderr; an exit code; earlier outputs untouched."""

import errno
import os
import resource
import signal
import socket
import subprocess
import time
from contextlib import suppress

import pytest
from imports import ROOT
from program import COMMAND, PATIENCE, call, invoke, options, write_params

from raresight.pipeline import cli
from raresight.pipeline.commands import verify
from raresight.pipeline.core.files import sha256
from raresight.pipeline.core.locks import is_held, lock, owner_note
from raresight.pipeline.runtime import processes
from raresight.pipeline.runtime.errors import DivergedError


def digests(folder):
    return {path: sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def untouched(project):
    """Fails when the test changed an output, or left a half-made one."""
    before = digests(project / "data/generated")
    yield project
    assert digests(project / "data/generated") == before
    assert not list(project.rglob(".*.new"))


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
        (["train", "--epocs", "3"], "params.yaml has train.epochs (or"),
        (["train", "--learning-rate", "1"], "dvc exp run -S ++train.optimizer.learning_rate=VALUE"),
        (["generate", "--seed", "2"], "params.yaml has generate.seed"),
        (["validate", "--zzz"], "No such option '--zzz'"),
        (["-q", "validate", "-v"], "-v and -q exclude each other"),
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
    place = untouched / "data/.generated.lock"
    assert not is_held(place)
    with lock(place):
        assert is_held(place)
        done = call(*options(untouched), "generate")
    assert done.returncode == 75
    assert done.stderr.startswith("error: ")
    assert f"held by process {os.getpid()} on {socket.gethostname()}, which" in done.stderr
    assert not is_held(place)
    assert not owner_note(place).exists()


def heed_ctrl_c():
    """A shell starts what runs in the background with SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_an_interrupted_stage_cleans_up(untouched, tmp_path, number, code):
    counts = {"circle": 200_000, "square": 8}
    source = {"generator": "shapes", "counts": counts}
    endless = write_params(tmp_path / "params.yaml", image_size=64, sources=[source])
    process = subprocess.Popen(
        [*COMMAND, "--params", endless, "--data", untouched / "data", "generate", "--workers", "1"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    half_made, deadline = untouched / "data/.generated.new", time.monotonic() + PATIENCE
    while not half_made.is_dir() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, text = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert text.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_that_a_library_made_an_error_of_is_a_signal(number, code, monkeypatch):
    def swallowed(*arguments):
        with suppress(KeyboardInterrupt, SystemExit):
            processes._exit(number, None)
        raise ValueError("not a valid PEP 3118 buffer format string")

    monkeypatch.setattr(verify, "run", swallowed)
    result = invoke("verify")
    assert result.exit_code == code
    assert "PEP" not in result.output

    def diverged(*arguments):
        raise DivergedError("the loss is no number")

    monkeypatch.setattr(verify, "run", diverged)
    assert invoke("verify").exit_code == DivergedError.exit_code  # a later one is not ended by it


def test_ctrl_c_before_a_command_has_begun_is_130_too(monkeypatch, capsys):
    """Click itself takes it there."""

    def interrupted(*arguments, **options):
        processes._exit(signal.SIGINT, None)

    monkeypatch.setattr(processes, "end_cleanly_when_told", lambda: None)
    monkeypatch.setattr(processes, "_ENDING", [])
    monkeypatch.setattr(cli.cli, "make_context", interrupted)
    monkeypatch.setattr("sys.argv", ["raresight", "verify"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
