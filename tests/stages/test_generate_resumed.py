"""A generation that was stopped goes on from the shards that it had finished."""

import json

import pytest

from raresight.pipeline.dataset import schema
from raresight.pipeline.generation.kept import FOLDER
from raresight.pipeline.stages import generate

SOURCE = {
    "generator": "shapes",
    "count": 20,
    "prevalence": {"star": 0.25},
    "options": {"classes": ["circle", "star"]},
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the stage, stopped when it has drawn ``until`` shards; returns those that it drew."""
    monkeypatch.setattr(schema, "SHARD_BYTES", 5 * 16 * 16 * 4)
    whole = generate.draw_rows

    def call(data="data", *, until=None, seed=1, **changes):
        drawn = []

        def draw(records, *arguments, **options):
            if len(drawn) == until:
                raise KeyboardInterrupt
            drawn.append(records.start // 5)
            return whole(records, *arguments, **options)

        monkeypatch.setattr(generate, "draw_rows", draw)
        section = {"seed": seed, "image_size": 16, "sources": [SOURCE | changes]}
        (tmp_path / "params.yaml").write_text(json.dumps({"generate": section}))
        try:
            generate.run(tmp_path / "params.yaml", tmp_path / data, workers=1)
        except KeyboardInterrupt:
            assert until is not None
            assert not (tmp_path / data / "generated").exists()
        return drawn

    return call


@pytest.fixture
def contents(tmp_path):
    return lambda data: {p.name: p.read_bytes() for p in (tmp_path / data / "generated").iterdir()}


def test_only_what_is_left_is_drawn_and_the_bytes_are_those_of_one_run(
    run, contents, tmp_path, capfd
):
    assert run("whole") == [0, 1, 2, 3]
    assert run(until=2) == [0, 1]
    assert run(until=1) == [2]  # stopped again
    capfd.readouterr()
    assert run() == [3]
    assert "goes on with 3 of 4 shards" in capfd.readouterr().err
    assert contents("data") == contents("whole")
    assert not (tmp_path / "data" / FOLDER).exists()
    assert run() == [0, 1, 2, 3]  # what is whole is no part of another run


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "no note", "half a note"])
def test_what_is_not_whole_is_drawn_anew(run, contents, tmp_path, damage):
    run("whole")
    run(until=3)
    shard = tmp_path / "data" / FOLDER / "part-00001.arrow"
    good, note = shard.read_bytes(), shard.with_suffix(".json")
    match damage:
        case "flip":
            shard.write_bytes(good[:3000] + bytes([good[3000] ^ 1]) + good[3001:])
        case "cut":
            shard.write_bytes(good[:-1])
        case "gone":
            shard.unlink()
        case "no note":
            note.unlink()
        case "half a note":
            note.write_bytes(note.read_bytes()[:40])
    assert run() == [1, 3]
    assert contents("data") == contents("whole")


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"count": 24}, {"options": {"classes": ["circle", "star"], "noise": [9, 9]}}],
)
def test_other_params_start_anew(run, contents, change):
    run(until=2)
    every = run("whole", **change)
    assert run(**change) == every
    assert contents("data") == contents("whole")


def test_other_code_or_libraries_start_anew(run, monkeypatch):
    run(until=2)
    monkeypatch.setattr("raresight.pipeline.generation.kept.digests", lambda *paths: {"x.py": "0"})
    assert run() == [0, 1, 2, 3]
