"""Images, tables and datasets in a store: read, verified and written by URL."""

import json
import sys
from pathlib import Path

import fsspec
import judged
import numpy as np
import pytest
from program import invoke

import raresight
from raresight.pipeline.dataset.reader import Dataset
from raresight.pipeline.prediction import stored
from raresight.pipeline.runtime import stores
from raresight.pipeline.runtime.errors import DataError


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store in memory, and a cache of its own."""
    monkeypatch.setenv("RARESIGHT_CACHE", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    yield memory
    memory.rm("/", recursive=True) if memory.ls("/") else None


def predict(project, *inputs, out):
    return invoke(*project.options, "predict", *inputs, "--out", out, "--workers", 1)


def columns(text: bytes) -> list[str]:
    """The lines of a table without the file, which is the first column."""
    return [line.split(",", 1)[1] for line in text.decode().splitlines()]


def put(store, folder, place):
    store.put(f"{folder}/", place, recursive=True)


def test_a_folder_and_a_table_in_a_store_are_predicted_as_on_the_disk(
    kept_project, store, tmp_path
):
    put(store, kept_project.photos, "/scans/in")
    store.pipe("/scans/in/.hidden/left.png", b"behind")
    store.pipe("/scans/in/labels.csv", b"not an image")
    assert predict(kept_project, kept_project.photos, out=tmp_path / "disk.csv").exit_code == 0
    done = predict(kept_project, "memory://scans/in", out="memory://out/new/scores.csv")
    assert done.exit_code == 0, done.output
    found, expected = store.cat_file("/out/new/scores.csv"), (tmp_path / "disk.csv").read_bytes()
    assert columns(found) == columns(expected)
    assert f"memory:///scans/in/{judged.IDS[0]}.png" in found.decode()

    store.pipe("/scans/some.csv", f"file;label\nin/{judged.IDS[3]}.png;rare\n".encode())
    assert predict(kept_project, "memory://scans/some.csv", out="memory://out/t.csv").exit_code == 0
    line = store.cat_file("/out/t.csv").decode().splitlines()[1]
    assert line.startswith(f'"memory://scans/in/{judged.IDS[3]}.png"')
    assert columns(expected)[4].split(",", 1)[0] in line  # the same id, of the same bytes
    assert ',"rare",' in line

    place = f"file://{kept_project.photos}"
    assert predict(kept_project, place, out=f"file://{tmp_path}/f.csv").exit_code == 0
    assert (tmp_path / "f.csv").read_bytes() == expected


def test_a_dataset_in_a_store_is_fetched_once_and_verified(kept_project, store, tmp_path):
    generated = kept_project.data / "generated"
    put(store, generated, "/sets/one")
    there, here = raresight.open_dataset("memory://sets/one"), Dataset(generated)
    assert there.name == "memory://sets/one"
    assert np.array_equal(np.asarray(there.images), np.asarray(here.images))

    (shard,) = (path for path in there.folder.glob("*.arrow"))
    store.rm("/sets/one/" + shard.name)  # what was fetched is not asked for again
    assert stored.fetched("memory://sets/one") == there.folder
    out = tmp_path / "out.csv"
    assert predict(kept_project, "memory://sets/one", out=out).exit_code == 0
    assert b"memory://sets/one" in out.read_bytes()

    put(store, generated, "/sets/one")
    content = shard.read_bytes()
    shard.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    assert stored.fetched("memory://sets/one") == there.folder  # damaged here: fetched again
    assert shard.read_bytes() == content


def test_an_export_is_written_to_a_store(kept_project, store, tmp_path):
    def export(out):
        return invoke(*kept_project.options, "export", "data", "--format", "coco", "--out", out)

    assert export(tmp_path / "here").exit_code == 0
    done = export("memory://hub/set")
    assert done.exit_code == 0, done.output
    here = {
        path.relative_to(tmp_path / "here").as_posix(): path.read_bytes()
        for path in (tmp_path / "here").rglob("*")
        if path.is_file()
    }
    assert len(here) > 100
    assert {
        name.removeprefix("/hub/set/"): store.cat_file(name) for name in store.find("/hub")
    } == here
    assert "memory://hub/set is there already" in (again := export("memory://hub/set")).stderr
    assert again.exit_code == 77


def test_a_damaged_shard_is_named_and_not_kept(kept_project, store):
    put(store, kept_project.data / "generated", "/sets/bad")
    (name,) = (Path(file).name for file in store.glob("/sets/bad/*.arrow"))
    content = store.cat_file(f"/sets/bad/{name}")
    store.pipe(f"/sets/bad/{name}", content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match=rf"memory://sets/bad/{name} has sha256 .* damaged"):
        stored.fetched("memory://sets/bad")
    assert not list(stored.cache().rglob("*.arrow*"))


def test_a_description_cannot_name_a_file_outside(kept_project, store):
    text = (kept_project.data / "generated/dataset.json").read_text()
    document = json.loads(text)
    document["shards"][0]["file"] = "../../escaped.arrow"
    store.pipe("/sets/evil/dataset.json", json.dumps(document).encode())
    with pytest.raises(DataError, match=r"\.\./\.\./escaped"):
        stored.fetched("memory://sets/evil")


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ("memory://nothing/here", 66, "memory://nothing/here"),
        ("memori://a/b", 2, "Did you mean 'memory'"),
        ("s3://bucket/key", 78, "pip install"),
    ],
)
def test_what_cannot_be_reached_is_one_message(
    kept_project, store, tmp_path, monkeypatch, place, code, said
):
    monkeypatch.setitem(sys.modules, "s3fs", None)  # as if it were not installed
    done = predict(kept_project, place, out=tmp_path / "out.csv")
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr
    if code != 66:
        done = predict(kept_project, kept_project.photos, out=f"{place}.csv")
        assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_an_image_that_a_store_lacks_is_named_once(kept_project, store, tmp_path):
    store.pipe("/t/list.csv", b"file\ngone.png\n")
    done = predict(kept_project, "memory://t/list.csv", out=tmp_path / "out.csv")
    assert done.exit_code == 65
    assert "  memory://t/gone.png: does not exist" in done.stderr


def test_a_store_that_takes_nothing_is_an_output_error(kept_project, store, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError("read-only bucket")

    monkeypatch.setattr(type(store), "put_file", refuse)
    done = predict(kept_project, kept_project.photos, out="memory://out/x.csv")
    assert done.exit_code == 74
    assert "memory://out/x.csv cannot be written: read-only bucket." in done.stderr


def test_names_of_paths_and_of_urls():
    assert not any(map(stores.is_url, ("C:/a", "a.png", "/a://b", "a/b://c", Path("s3:/b"))))
    assert all(map(stores.is_url, ("s3://b", "memory://", "simplecache::s3://b/k")))
    assert stores.joined("s3://b/a/", "c.png") == "s3://b/a/c.png"
    assert stores.joined("s3://b/a", "gs://d/c.png") == "gs://d/c.png"
    assert stores.joined("a", "s3://b/c.png") == "s3://b/c.png"
    assert stores.joined("a", "c.png") == str(Path("a/c.png"))
