"""What a crash leaves is found, and repaired without a byte of anybody's data being lost."""

import json
import os
import subprocess

import pytest
from imports import ROOT
from program import invoke

from raresight.pipeline.commands import doctor
from raresight.pipeline.core.files import stage_outputs
from raresight.pipeline.core.locks import lock
from raresight.pipeline.doctor.checks import CHECKS
from raresight.pipeline.doctor.finding import Project, set_aside

LOCK = "schema: '2.0'\nstages:\n  check:\n    cmd: python -m raresight check\n"
# Nothing of the machine decides what these tests find.
OF_A_CRASH = ("dvc.lock", "in use", "writers", "half-made", "kept training", "kept shards", "modes")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project with an output and a dvc.lock that Git has; what a crash leaves is looked at."""
    for name in set(CHECKS) - {*OF_A_CRASH}:
        monkeypatch.delitem(CHECKS, name)
    with stage_outputs(tmp_path / "data/generated") as (folder,):
        (folder / "part.txt").write_text("images")
    (tmp_path / "dvc.lock").write_text(LOCK)
    (tmp_path / "params.yaml").write_text("generate: {}\n")
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    for words in (["init", "-q"], ["add", "dvc.lock"], ["commit", "-qm", "one"]):
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *words]
        subprocess.run(git, cwd=tmp_path, check=True)
    return Project(root=tmp_path, data=tmp_path / "data")


def wrong(project):
    return [one for one in doctor.run(project.root, project.data) if one.state == "wrong"]


def mended(project):
    """What --fix said it did; afterwards nothing is wrong, and --fix does nothing more."""
    done = [
        one.said
        for one in doctor.run(project.root, project.data, fix=True)
        if one.state == "repaired"
    ]
    assert not wrong(project)
    assert not [
        one for one in doctor.run(project.root, project.data, fix=True) if one.state == "repaired"
    ]
    return "\n".join(done)


def test_a_sound_project_has_nothing_wrong_and_is_left_alone(place):
    before = sorted((path, path.stat().st_mtime_ns) for path in place.root.rglob("*"))
    found = doctor.run(place.root, place.data, fix=True)
    assert {one.check for one in found} == {*OF_A_CRASH}
    assert {one.state for one in found} <= {"ok", "note"}
    assert before == sorted((path, path.stat().st_mtime_ns) for path in place.root.rglob("*"))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a: [", b"\xff\xfe", b"x: 1\n", b"<<<<<<< HEAD\n"]
)
def test_a_broken_dvc_lock_gives_way_to_that_of_the_last_commit(place, content):
    (place.root / "dvc.lock").write_bytes(content)
    assert [one.check for one in wrong(place)] == ["dvc.lock"]
    assert "that of the last commit put in its place" in mended(place)
    assert (place.root / "dvc.lock").read_text() == LOCK
    (aside,) = place.root.glob("dvc.lock.broken-*")
    assert aside.read_bytes() == content


def test_without_git_it_is_set_aside(place):
    (place.root / "dvc.lock").write_bytes(b"")
    os.rename(place.root / ".git", place.root / "elsewhere")
    assert "Run `dvc repro`" in mended(place)
    assert not (place.root / "dvc.lock").exists()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"data/model": {"write": {"cmd": "x"}}}'])
def test_an_unreadable_rwlock_without_an_owner_is_set_aside(place, content):
    path = place.root / ".dvc/tmp/rwlock"
    path.write_text(content)
    with lock(path.with_name("lock")):  # DVC runs, and is writing it
        assert not wrong(place)
    assert [one.check for one in wrong(place)] == ["in use"]
    mended(place)
    assert not path.exists()
    assert len([*path.parent.glob("rwlock.broken-*")]) == 1


def test_who_is_marked_is_told_and_dead_ones_are_not_in_the_way(place):
    ended = subprocess.Popen(["true"])
    ended.wait()
    held = {"write": {"pid": os.getpid(), "cmd": "a"}, "read": [{"pid": ended.pid, "cmd": "b"}]}
    (place.root / ".dvc/tmp/rwlock").write_text(json.dumps({"data/model": held}))
    (said,) = [one.said for one in doctor.run(place.root, place.data) if one.check == "in use"]
    assert f"({ended.pid})" in said
    assert not wrong(place)


def test_half_outputs_go_but_not_those_on_their_way(place):
    half = place.data / ".generated.new"
    half.mkdir()
    (half / "part.txt").write_text("ha")
    with lock(place.data / ".generated.lock"):
        found = doctor.run(place.root, place.data)
        assert f"process {os.getpid()} on" in "".join(one.said for one in found)
        assert not [one for one in found if one.state == "wrong"]
        assert half.exists()
    assert [one.check for one in wrong(place)] == ["half-made"]
    mended(place)
    assert not half.exists()
    assert (place.data / "generated/part.txt").read_text() == "images"


def test_an_old_output_that_was_out_of_the_way_is_put_back(place):
    os.rename(place.data / "generated", place.data / ".generated.new.old")
    assert "was put back" in mended(place)
    assert (place.data / "generated/part.txt").read_text() == "images"
    assert not (place.data / ".generated.new.old").exists()


def test_a_poisoned_state_of_a_training_is_set_aside(place):
    for name in ("replicate-1", "replicate-2"):
        with stage_outputs(place.data / ".resume" / name) as (folder,):
            (folder / "state.json").write_text("{}")
    (place.data / ".resume/replicate-2/manifest.json").write_text("{")
    assert [one.check for one in wrong(place)] == ["kept training"]
    assert "training starts anew" in mended(place)
    assert (place.data / ".resume/replicate-1").is_dir()
    assert not (place.data / ".resume/replicate-2").exists()
    assert len([*(place.data / ".resume").glob("replicate-2.broken-*")]) == 1


def test_kept_shards_are_told_and_left(place):
    (place.data / ".generating").mkdir()
    (place.data / ".generating/part-00000.arrow").write_bytes(b"x" * 2000)
    (one,) = [one for one in doctor.run(place.root, place.data, fix=True) if "shards" in one.check]
    assert (one.state, one.said[:17]) == ("note", "1 shards (2.0 kB)")
    assert (place.data / ".generating/part-00000.arrow").exists()


def test_files_that_nobody_else_may_read_are_opened_up(place):
    path = place.data / "generated/part.txt"
    before = os.umask(0o022)
    try:
        path.chmod(0o600)
        assert [one.check for one in wrong(place)] == ["modes"]
        mended(place)
        assert path.stat().st_mode & 0o777 == 0o644
        os.umask(0o077)
        path.chmod(0o600)
        assert not wrong(place)
    finally:
        os.umask(before)


def test_two_set_aside_in_one_second_are_both_kept(tmp_path):
    for text in "abc":
        (tmp_path / "x").write_text(text)
        set_aside(tmp_path / "x")
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_the_command_says_it_and_fails_until_it_is_mended(place):
    (place.root / "dvc.lock").write_bytes(b"")
    given = ("--params", place.root / "params.yaml", "--data", place.data)
    failed = invoke(*given, "doctor")
    assert failed.exit_code == 1
    assert "--fix` repairs" in failed.stderr
    assert "dvc.lock is empty" in failed.stdout
    found = json.loads(invoke(*given, "--json", "doctor", "--fix").stdout)
    assert [one["check"] for one in found if one["state"] == "repaired"] == ["dvc.lock"]
    assert invoke(*given, "doctor").exit_code == 0


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_says_something_of_this_machine_and_of_a_folder_of_nothing(name, tmp_path):
    for root in (ROOT, tmp_path):
        assert [one.said for one in CHECKS[name](Project(root=root, data=root / "data"))]
