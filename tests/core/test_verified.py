"""Inputs are hashed once a change, and `verify` hashes all of them."""

import json
import os

import pytest

from raresight.pipeline.commands import verify
from raresight.pipeline.core import files, verified
from raresight.pipeline.core.files import require_verified, stage_outputs, write_json
from raresight.pipeline.core.provenance import sealed
from raresight.pipeline.runtime.errors import DataError

RECORD = ".out.verified"


@pytest.fixture
def out(tmp_path, monkeypatch):
    """A folder that was checked once, as if its files had been there for long."""
    monkeypatch.setattr(verified, "_TICK", -1)
    with stage_outputs(tmp_path / "out") as (new,):
        (new / "deep").mkdir()
        (new / "deep/part.txt").write_text("hello")
        (new / "other.txt").write_text("world")
    require_verified(tmp_path / "out", "generate")
    return tmp_path / "out"


@pytest.fixture
def hashed(monkeypatch):
    """Names of the files that were read."""
    names = []
    sha256 = files.sha256

    def listening(path):
        names.append(path.name)
        return sha256(path)

    monkeypatch.setattr(files, "sha256", listening)
    return names


def test_what_nobody_has_written_to_is_not_read_again(out, hashed):
    require_verified(out, "generate")
    assert hashed == []


def test_a_file_that_was_written_to_is_read_and_the_others_are_not(out, hashed):
    (out / "other.txt").write_text("world")
    require_verified(out, "generate")
    assert hashed == ["other.txt"]
    require_verified(out, "generate")
    assert hashed == ["other.txt"]


def test_times_that_were_put_back_hide_nothing(out):
    before = (out / "deep/part.txt").stat()
    (out / "deep/part.txt").write_text("hellO")
    os.utime(out / "deep/part.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match=r"part\.txt has another sha256"):
        require_verified(out, "generate")


def test_what_was_checked_under_another_manifest_is_read_again(out, hashed):
    files = json.loads((out / "manifest.json").read_text())["files"]
    files["other.txt"]["sha256"] = "0" * 64
    write_json(out / "manifest.json", sealed({"files": files}))
    with pytest.raises(DataError, match=r"other\.txt has another sha256"):
        require_verified(out, "generate")
    assert hashed == ["other.txt"]


def test_a_file_of_this_very_moment_is_not_remembered(out, hashed, monkeypatch):
    monkeypatch.setattr(verified, "_TICK", 60_000_000_000)
    (out / "other.txt").write_text("world")
    require_verified(out, "generate")
    require_verified(out, "generate")
    assert hashed == ["other.txt", "other.txt"]


@pytest.mark.parametrize("record", [b"", b"[]", b'{"other.txt": 1}', b"[" * 100_000, b"\xff"])
def test_a_broken_record_is_as_good_as_none(out, record):
    (out.parent / RECORD).write_bytes(record)
    require_verified(out, "generate")
    (out / "other.txt").write_text("WORLD")
    with pytest.raises(DataError, match=r"other\.txt"):
        require_verified(out, "generate")


def test_verify_believes_no_record(out):
    record = json.loads((out.parent / RECORD).read_text())
    (out / "other.txt").write_text("WORLD")
    stat = (out / "other.txt").stat()
    stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    record["other.txt"][1:] = stamp  # as if the disk had changed it, which leaves no trace
    (out.parent / RECORD).write_text(json.dumps(record))
    require_verified(out, "generate")
    assert verify.run(out.parent)[out] == [f"{out}/other.txt has another sha256 than its manifest"]


def test_where_nothing_may_be_written_everything_is_checked_each_time(out, hashed, monkeypatch):
    (out.parent / RECORD).unlink()

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "replace", refuse)
    require_verified(out, "generate")
    require_verified(out, "generate")
    assert sorted(hashed) == ["other.txt", "other.txt", "part.txt", "part.txt"]
    assert [path.name for path in out.parent.iterdir() if "verified" in path.name] == []
