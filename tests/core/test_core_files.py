"""Outputs appear whole or not at all, and prove what they hold."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from raresight.pipeline.core import files
from raresight.pipeline.core.files import (
    content_digest,
    manifest_problems,
    require_verified,
    stage_outputs,
)
from raresight.pipeline.core.tensors import writing_tensors
from raresight.pipeline.runtime.errors import DataError, InputMissing, LockedError, OutputError


def write(folder, text):
    """A stage's output of one file."""
    with stage_outputs(folder) as (new,):
        (new / "part.txt").write_text(text)


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.endswith((".new", ".old"))]


def test_an_output_holds_its_files_and_a_manifest_of_them(tmp_path):
    write(tmp_path / "out", "hello")
    entry = json.loads((tmp_path / "out/manifest.json").read_text())["files"]["part.txt"]
    assert entry == {"bytes": 5, "sha256": hashlib.sha256(b"hello").hexdigest()}
    assert manifest_problems(tmp_path / "out") == []


def test_a_new_output_replaces_the_old_one_whole(tmp_path):
    write(tmp_path / "out", "old")
    (tmp_path / "out/extra.txt").write_text("left by somebody")
    write(tmp_path / "out", "new")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"part.txt", "manifest.json"}
    assert (tmp_path / "out/part.txt").read_text() == "new"
    assert not hidden(tmp_path)


def test_it_works_where_two_names_cannot_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    write(tmp_path / "out", "old")
    write(tmp_path / "out", "new")
    assert (tmp_path / "out/part.txt").read_text() == "new"
    assert not hidden(tmp_path)


def test_a_failed_stage_leaves_the_last_good_outputs(tmp_path):
    write(tmp_path / "out", "good")
    (tmp_path / "metrics.json").write_text("good")

    def fail():
        with stage_outputs(tmp_path / "out", tmp_path / "metrics.json") as (folder, file):
            (folder / "part.txt").write_text("half")
            file.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "out/part.txt").read_text() == "good"
    assert (tmp_path / "metrics.json").read_text() == "good"
    assert not hidden(tmp_path)


def test_a_killed_stage_leaves_the_last_good_output_and_the_next_one_clears_up(tmp_path):
    write(tmp_path / "out", "good")
    script = (
        "import os, sys; from pathlib import Path\n"
        "from raresight.pipeline.core.files import stage_outputs\n"
        "with stage_outputs(Path(sys.argv[1])) as (new,):\n"
        "    (new / 'part.txt').write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "out")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert hidden(tmp_path)
    assert (tmp_path / "out/part.txt").read_text() == "good"
    assert manifest_problems(tmp_path / "out") == []
    write(tmp_path / "out", "next")
    assert (tmp_path / "out/part.txt").read_text() == "next"
    assert not hidden(tmp_path)


def test_folders_and_files_are_put_in_place_together(tmp_path):
    with stage_outputs(tmp_path / "out", tmp_path / "deep/metrics.json") as (folder, file):
        (folder / "a").write_text("1")
        file.write_text("2")
        assert not (tmp_path / "out").exists()
        assert not (tmp_path / "deep/metrics.json").exists()
    assert (tmp_path / "out/a").read_text() == "1"
    assert (tmp_path / "deep/metrics.json").read_text() == "2"


def test_a_second_writer_is_turned_away_and_harms_nothing(tmp_path):
    with stage_outputs(tmp_path / "out") as (new,):
        (new / "part.txt").write_text("first")
        with pytest.raises(LockedError, match="held by process "):
            write(tmp_path / "out", "second")
    assert (tmp_path / "out/part.txt").read_text() == "first"


def spoil_byte(folder):
    (folder / "part.txt").write_text("hellO")
    return "part.txt has another sha256"


def spoil_length(folder):
    (folder / "part.txt").write_text("hell")
    return "part.txt has 4 bytes, not 5"


def spoil_presence(folder):
    (folder / "part.txt").unlink()
    return "part.txt is missing"


def spoil_company(folder):
    (folder / "other.txt").write_text("x")
    return "other.txt is not in the manifest"


def spoil_manifest(folder):
    (folder / "manifest.json").write_text("[]")
    return "lists no files"


@pytest.mark.parametrize(
    "spoil", [spoil_byte, spoil_length, spoil_presence, spoil_company, spoil_manifest]
)
def test_every_difference_from_the_manifest_is_found_and_named(tmp_path, spoil):
    write(tmp_path / "out", "hello")
    expected = spoil(tmp_path / "out")
    with pytest.raises(DataError) as caught:
        require_verified(tmp_path / "out", "generate")
    assert expected in str(caught.value)
    assert "raresight generate" in str(caught.value)


@pytest.mark.parametrize("make", [lambda folder: None, os.mkdir])
def test_an_input_that_is_not_there_names_the_stage_that_makes_it(tmp_path, make):
    make(tmp_path / "out")
    with pytest.raises(InputMissing, match="Run `raresight generate`"):
        require_verified(tmp_path / "out", "generate")


def test_json_refuses_what_json_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "x.json", {"loss": float("nan")})


def test_json_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputMissing, match=r"x\.json does not exist"):
        files.read_json(tmp_path / "x.json")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(DataError, match=r"x\.json is not valid JSON"):
        files.read_json(tmp_path / "x.json")
    (tmp_path / "x.json").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"x\.json is not valid JSON"):
        files.read_json(tmp_path / "x.json")


def test_a_digest_is_of_the_values_in_their_order_however_they_lie_in_memory():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    turned = np.asfortranarray(image)
    assert (
        content_digest(image) == content_digest(turned) == content_digest(image[:, ::-1][:, ::-1])
    )
    assert content_digest(image) != content_digest(image[::-1])
    assert content_digest(image) == hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest()


def write_both(folder: Path, text: str) -> None:
    with stage_outputs(folder / "one", folder / "two.json") as (one, two):
        (one / "a").write_text(text)
        two.write_text(text)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_whichever_rename_fails_the_old_output_is_back_in_place(place, tmp_path, monkeypatch):
    """Where names cannot be exchanged there are three of them."""
    monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    write_both(tmp_path, "old")
    real, made = os.replace, []

    def fail(*arguments):
        made.append(arguments)
        if len(made) == place:
            raise OSError(errno.EIO, "Input/output error", str(arguments[0]))
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="Input/output error"):
            write_both(tmp_path, "new")
    assert (tmp_path / "one/a").read_text() == (tmp_path / "two.json").read_text() == "old"
    assert not list(tmp_path.rglob("*.new*"))


@pytest.mark.parametrize("exchanging", [True, False])
@pytest.mark.parametrize("before", ["", "old"])
def test_where_one_output_cannot_be_put_in_place_none_is(exchanging, before, tmp_path, monkeypatch):
    if not exchanging:
        monkeypatch.setattr(files, "_exchange", lambda first, second: False)
    if before:
        write_both(tmp_path, before)
    swap = files._swap_in

    def fail(new, target):
        if new.name == ".two.json.new":
            raise OSError(errno.EIO, "Input/output error", str(target))
        swap(new, target)

    monkeypatch.setattr(files, "_swap_in", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_both(tmp_path, "new")
    places = (tmp_path / "one/a", tmp_path / "two.json")
    found = [path.read_text() for path in places if path.exists()]
    assert found == [before, before] * bool(before)
    assert not list(tmp_path.rglob("*.new*"))
    monkeypatch.setattr(files, "_swap_in", swap)
    write_both(tmp_path, "new")
    assert (tmp_path / "one/a").read_text() == (tmp_path / "two.json").read_text() == "new"


def test_a_disk_that_does_not_confirm_is_told_as_it_is(tmp_path, monkeypatch):
    flush = files.flush

    def fail(path):
        if path == tmp_path:
            raise OSError(errno.EIO, "Input/output error")
        flush(path)

    monkeypatch.setattr(files, "flush", fail)
    with pytest.raises(OutputError, match=r"whole and in place.*Input/output error"):
        write_both(tmp_path, "new")
    assert (tmp_path / "two.json").read_text() == "new"


def test_tensors_are_files_like_others(tmp_path):
    """Their library gives them mode 0600, and a full disk an error of its own."""
    tensors, path = {"a": np.zeros(4, np.float32)}, tmp_path / "a.safetensors"
    with writing_tensors(path):
        save_file(tensors, path)
    path.with_suffix(".txt").touch()
    assert path.stat().st_mode == path.with_suffix(".txt").stat().st_mode
    with (
        pytest.raises(OutputError, match="cannot be written: I/O error: No space left"),
        writing_tensors(path),
    ):
        raise SafetensorError("I/O error: No space left on device (os error 28)")


def test_a_signal_while_what_is_left_is_removed_leaves_no_half_of_it(tmp_path, monkeypatch):
    remove, told = files._remove, []

    def interrupted(path):
        if path.exists() and not told:
            told.append(path)
            raise SystemExit(143)
        remove(path)

    def make():
        with files.stage_outputs(tmp_path / "made") as (new,):
            (new / "one").write_text("1")

    make()
    monkeypatch.setattr(files, "_remove", interrupted)
    (tmp_path / ".made.new").mkdir()  # of a killed run
    with pytest.raises(SystemExit):
        make()
    assert told == [tmp_path / ".made.new"]
    assert {path.name for path in tmp_path.iterdir()} <= {"made", ".made.lock"}
